import { isAlreadyExists } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { Store } from "#apiserver/registry/resource.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";

/** Creates an object unless it is there; somebody else may create it at the same time. */
export async function ensure(
  stores: Stores,
  group: string,
  plural: string,
  object: object,
  context: RequestContext,
): Promise<void> {
  const wanted = object as ApiObject;
  const store = stores.of(group, plural);
  const { namespace = "", name = "" } = wanted.metadata;
  if (store.cached(namespace, name) !== undefined) return;
  try {
    await store.create(structuredClone(wanted), context, { fieldManager: "kube-apiserver" });
    if (hasStatus(wanted)) await writeStatus(store, wanted, context);
  } catch (error) {
    if (isAlreadyExists(error)) return;
    // Somebody else may have made it together with what it needs: the address of a Service is taken then.
    const isThere = await store.get(namespace, name).then(
      () => true,
      () => false,
    );
    if (!isThere) throw error;
  }
}

/** Creates an object, or brings what `keys` name back to how they should be. */
export async function ensureEqual(
  stores: Stores,
  group: string,
  plural: string,
  object: object,
  keys: readonly string[],
  context: RequestContext,
): Promise<void> {
  const wanted = object as ApiObject;
  const { namespace = "", name = "" } = wanted.metadata;
  const store = stores.of(group, plural);
  const present = store.cached(namespace, name);
  if (present === undefined) return await ensure(stores, group, plural, object, context);
  if (keys.every((key) => JSON.stringify(present[key]) === JSON.stringify(wanted[key]))) return;
  const change = (draft: Record<string, unknown>): void => {
    for (const key of keys) draft[key] = structuredClone(wanted[key]);
  };
  await store.update(namespace, name, change, context, { fieldManager: "kube-apiserver" });
}

/**
 * Creates an RBAC object, or gives it back the `rules` or `subjects` that it lost, as upstream at each start. What was
 * added stays. Objects annotated `rbac.authorization.kubernetes.io/autoupdate: "false"` are left alone.
 */
export async function ensureContains(
  stores: Stores,
  plural: string,
  object: object,
  key: "rules" | "subjects",
  context: RequestContext,
): Promise<void> {
  const group = "rbac.authorization.k8s.io";
  const wanted = object as ApiObject;
  const { namespace = "", name = "" } = wanted.metadata;
  const store = stores.of(group, plural);
  const present = store.cached(namespace, name);
  if (present === undefined) return await ensure(stores, group, plural, object, context);
  if (present.metadata.annotations?.["rbac.authorization.kubernetes.io/autoupdate"] === "false") return;
  const has = new Set(entries(present, key).map((entry) => JSON.stringify(entry)));
  const missing = entries(wanted, key).filter((entry) => !has.has(JSON.stringify(entry)));
  if (missing.length === 0) return;
  const change = (draft: Record<string, unknown>): void => {
    draft[key] = [...((draft[key] as unknown[] | undefined) ?? []), ...structuredClone(missing)];
  };
  await store.update(namespace, name, change, context, { fieldManager: "kube-apiserver" });
}

/** The entries in one form: fields in alphabetical order, so that two equal ones read equal. */
function entries(object: ApiObject, key: string): object[] {
  const list = (object[key] as object[] | undefined | null) ?? [];
  return list.map((entry) => Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function hasStatus(object: ApiObject): boolean {
  return object.status !== undefined;
}

async function writeStatus(store: Store<ApiObject>, wanted: ApiObject, context: RequestContext): Promise<void> {
  const { namespace = "", name = "" } = wanted.metadata;
  const change = (draft: Record<string, unknown>): void => {
    draft.status = structuredClone(wanted.status);
  };
  await store.update(namespace, name, change, context, { subresource: "status", fieldManager: "kube-apiserver" });
}
