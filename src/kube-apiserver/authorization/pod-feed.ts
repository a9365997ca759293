import type { Pod } from "#api/generated/core/v1.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import type { PodFeed } from "./node-graph.ts";

/** The pods in the server's own watch cache. */
export function podFeed(stores: StoreRegistry): PodFeed {
  const pods = stores.generic("", "pods");
  return {
    list: () => pods.listCached("") as unknown as readonly Pod[],
    watch: (filter, consumer) => pods.core.stored.watch(filter, consumer),
  };
}
