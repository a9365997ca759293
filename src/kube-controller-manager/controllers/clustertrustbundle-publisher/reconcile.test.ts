import { expect, test } from "vitest";
import type { ClusterTrustBundle } from "#api/generated/certificates/v1beta1.ts";
import { reconcile, SERVING_SIGNER } from "./reconcile.ts";

// The first twelve bytes of the SHA-256 of "PEM".
const NAME = "kubernetes.io:kube-apiserver-serving:384fb9a44fabe158be2757b9";
const bundle = (name: string, trustBundle: string): ClusterTrustBundle =>
  ({ metadata: { name }, spec: { signerName: SERVING_SIGNER, trustBundle } }) as ClusterTrustBundle;

test.each<[string, readonly ClusterTrustBundle[], readonly string[]]>([
  ["is made", [], [`create ${NAME}`]],
  ["stays as it is", [bundle(NAME, "PEM")], []],
  ["is put right", [bundle(NAME, "other")], [`update ${NAME}`]],
  ["takes the place of others", [bundle("old", "OLD")], [`create ${NAME}`, "delete old"]],
  ["stays alone", [bundle("old", "OLD"), bundle(NAME, "PEM")], ["delete old"]],
])("the bundle %s", (_, bundles, want) => {
  const actions = reconcile({ bundles, rootCa: "PEM" });
  expect(actions.map((action) => `${action.type} ${"name" in action ? action.name : action.bundle.metadata?.name}`)).toEqual(
    want,
  );
  for (const action of actions)
    if ("bundle" in action) expect(action.bundle.spec).toEqual({ signerName: SERVING_SIGNER, trustBundle: "PEM" });
});
