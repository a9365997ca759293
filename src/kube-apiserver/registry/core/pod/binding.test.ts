import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { Store } from "#apiserver/registry/resource.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { realClock } from "#base/clock.ts";
import { bindPod, checkPreconditions } from "./binding.ts";

const pod = { metadata: { name: "p", namespace: "n", uid: "u", resourceVersion: "7" }, spec: { containers: [] } };
const failed = (key: string, what: string): string =>
  `Operation cannot be fulfilled on pods "p": StorageError: invalid object, Code: 4, Key: ${key}/pods/n/p, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${what}`;

test.each<[string, object, boolean, string | undefined]>([
  ["any pod", {}, false, undefined],
  ["this pod", { uid: "u", resourceVersion: "7" }, false, undefined],
  ["another pod", { uid: "v" }, false, failed("/registry", "UID in precondition: v, UID in object meta: u")],
  ["another pod in a dry run", { uid: "v" }, true, failed("", "UID in precondition: v, UID in object meta: u")],
  [
    "an older pod",
    { resourceVersion: "6" },
    false,
    failed("/registry", "ResourceVersion in precondition: 6, ResourceVersion in object meta: 7"),
  ],
])("a binding of %s", (_, metadata, dryRun, want) => {
  const check = (): void => checkPreconditions({ metadata: { name: "p", ...metadata }, target: { name: "node" } }, pod, dryRun);
  if (want === undefined) expect(check).not.toThrow();
  else expect(check).toThrow(want);
});

test("a pod is bound without altering what its draft shares with what is stored", async () => {
  const stored = frozen({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "n", labels: { a: "b" }, annotations: { c: "d" } },
    spec: { containers: [{ name: "c", image: "i" }] },
    status: { phase: "Pending", nominatedNodeName: "other", conditions: [{ type: "PodScheduled", status: "False" }] },
  }) as Pod;
  const { metadata, spec, status } = stored;
  const draft = { ...stored, metadata: { ...metadata }, spec: { ...spec }, status: { ...status } } as Draft<Pod>;
  const asked: unknown[] = [];
  const store = {
    update: async (_namespace: string, _name: string, change: (pod: Draft<Pod>) => void, _context: unknown, options: object) => {
      asked.push(options);
      change(draft);
      return draft;
    },
  } as unknown as Store<Pod>;
  const binding = { metadata: { name: "p", annotations: { e: "f" }, labels: { g: "h" } }, target: { name: "node" } };
  const context = { info: { namespace: "n" } } as RequestContext;
  await bindPod(binding, context, { store, clock: realClock }, false);
  expect(asked).toMatchObject([{ subresource: "binding", shallow: true }]);
  expect(draft).toEqual({
    ...stored,
    metadata: { ...metadata, annotations: { c: "d", e: "f" }, labels: { a: "b", g: "h" } },
    spec: { ...spec, nodeName: "node" },
    status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "True", lastTransitionTime: expect.any(String) }] },
  });
});

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
