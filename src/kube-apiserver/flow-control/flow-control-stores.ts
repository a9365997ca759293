import type { FlowSchema, PriorityLevelConfiguration } from "#api/generated/flowcontrol/v1.ts";
import type { FlowControlSource } from "#apiserver/flowcontrol/flow-control.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import type { RequestInfo } from "#apiserver/request/request-info.ts";

const GROUP = "flowcontrol.apiserver.k8s.io";
/** Lists of fewer objects than this are not worth weighing. */
const WEIGHED_OBJECTS_MIN = 32;

/** Priority and fairness out of the server's own watch caches. */
export function flowControlStores(stores: StoreRegistry): FlowControlSource {
  const schemas = stores.generic(GROUP, "flowschemas");
  const levels = stores.generic(GROUP, "prioritylevelconfigurations");
  let version = { schemas: undefined as unknown, levels: undefined as unknown };
  return {
    // The caches keep their objects in trees that are never changed: a new tree is a new version.
    version: () => {
      const now = schemas.core.cache.tree;
      const nowLevels = levels.core.cache.tree;
      if (version.schemas !== now || version.levels !== nowLevels) version = { schemas: now, levels: nowLevels };
      return version;
    },
    flowSchemas: () => schemas.listCached("") as unknown as readonly FlowSchema[],
    priorityLevels: () => levels.listCached("") as unknown as readonly PriorityLevelConfiguration[],
    sizeOf: ({ apiGroup, resource }: RequestInfo) => {
      const store = stores.find(apiGroup, resource);
      if (store === undefined) return undefined;
      const { tree, prefix } = store.core.cache;
      if (tree.size < WEIGHED_OBJECTS_MIN) return undefined;
      const [sample] = tree.range(prefix, undefined, 1);
      return { count: tree.size, averageBytes: sample?.encoded.bytes.byteLength ?? 0 };
    },
  };
}
