import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import { deleteObject } from "./delete-object.ts";
import type { StoreCore, WriteRequest } from "./store-core.ts";

const KEY = "/registry/pods/default/p";
const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "default", uid: "u" } } as ApiObject;
const entryOf = (object: ApiObject, revision: number) => ({ key: KEY, name: "p", object, revision }) as unknown as CacheEntry;

/** A store of one pod, of which `meanwhile` makes something else between its mark and its removal. */
function storeOf(meanwhile: () => CacheEntry | undefined): StoreCore {
  let there: CacheEntry | undefined = entryOf(pod, 1);
  const core = {
    cache: { key: () => KEY, byKey: () => there },
    modules: { clock: { now: () => 0 } },
    strategy: { gracefulDeletion: () => 0, returnDeletedObject: true },
    definition: { kind: "Pod" },
    resourceOf: () => ({ group: "", resource: "pods" }),
    ready: () => undefined,
    normalize: (object: ApiObject) => object,
    put: async (_key: string, _revision: number, object: ApiObject) => {
      const marked = entryOf(object, 2);
      there = meanwhile();
      return marked;
    },
    remove: async (entry: CacheEntry) => {
      if (there?.revision !== entry.revision) return undefined;
      there = undefined;
      return entry;
    },
  };
  return core as unknown as StoreCore;
}

const request = { namespace: "default", admit: false, dryRun: false, form: { group: "" } } as unknown as WriteRequest;

test("who marks a pod and finds that its node has removed it has what was asked for", async () => {
  const { answer, gone } = await deleteObject(
    storeOf(() => undefined),
    "p",
    { gracePeriodSeconds: 0 },
    request,
  );
  expect({ answer, gone }).toMatchObject({ gone: true, answer: { metadata: { uid: "u", deletionGracePeriodSeconds: 0 } } });
});

test("who marks a pod and finds it written meanwhile removes what was written", async () => {
  const metadata = {
    ...pod.metadata,
    deletionTimestamp: "1970-01-01T00:00:00Z",
    deletionGracePeriodSeconds: 0,
    labels: { a: "b" },
  };
  const written = entryOf({ ...pod, metadata }, 3);
  const { answer, gone } = await deleteObject(
    storeOf(() => written),
    "p",
    { gracePeriodSeconds: 0 },
    request,
  );
  expect({ answer, gone }).toMatchObject({ gone: true, answer: { metadata: { labels: { a: "b" } } } });
});

test("of what was never there it is said", async () => {
  const core = storeOf(() => undefined);
  await deleteObject(core, "p", { gracePeriodSeconds: 0 }, request);
  await expect(deleteObject(core, "p", {}, request)).rejects.toMatchObject({ status: { reason: "NotFound" } });
});

test("who deletes what others write hundreds of times in between goes on until it is marked", async () => {
  let puts = 0;
  const put = async (_key: string, _revision: number, object: ApiObject) => (++puts < 500 ? undefined : entryOf(object, puts));
  const remove = async (entry: CacheEntry) => entry;
  const core = { ...storeOf(() => undefined), put, remove } as unknown as StoreCore;
  const { gone } = await deleteObject(core, "p", {}, request);
  expect({ gone, puts }).toEqual({ gone: true, puts: 500 });
});
