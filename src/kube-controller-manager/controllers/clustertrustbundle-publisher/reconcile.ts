import { createHash } from "node:crypto";
import type { ClusterTrustBundle } from "#api/generated/certificates/v1beta1.ts";

/** Whose certificates the published authority signs. */
export const SERVING_SIGNER = "kubernetes.io/kube-apiserver-serving";

/** What the decision depends on. */
export interface Observed {
  /** All bundles of the signer. */
  readonly bundles: readonly ClusterTrustBundle[];
  /** PEM. */
  readonly rootCa: string;
}

export type Action =
  | { readonly type: "create"; readonly bundle: ClusterTrustBundle }
  | { readonly type: "update"; readonly bundle: ClusterTrustBundle }
  | { readonly type: "delete"; readonly name: string };

/** How many bytes of the authority's SHA-256 are in a bundle's name. */
const HASH_BYTES = 12;

/** There is one bundle of the signer, named for what it holds: upstream's `ClusterTrustBundlePublisher`. The new one is there before the old one goes. */
export function reconcile({ bundles, rootCa }: Observed): readonly Action[] {
  const name = bundleName(rootCa);
  const found = bundles.find(({ metadata }) => metadata?.name === name);
  const others = bundles.flatMap(({ metadata }): Action[] =>
    metadata?.name === undefined || metadata.name === name ? [] : [{ type: "delete", name: metadata.name }],
  );
  if (found === undefined) {
    const spec = { signerName: SERVING_SIGNER, trustBundle: rootCa };
    const bundle = { apiVersion: "certificates.k8s.io/v1beta1", kind: "ClusterTrustBundle", metadata: { name }, spec } as const;
    return [{ type: "create", bundle }, ...others];
  }
  if (found.spec.trustBundle === rootCa) return others;
  return [{ type: "update", bundle: { ...found, spec: { ...found.spec, trustBundle: rootCa } } }, ...others];
}

function bundleName(rootCa: string): string {
  const hash = createHash("sha256").update(rootCa).digest().subarray(0, HASH_BYTES).toString("hex");
  return `${SERVING_SIGNER.replace("/", ":")}:${hash}`;
}
