import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import type { PodFeed } from "./node-graph.ts";

/** The pods in the server's own watch cache. */
export function podFeed(stores: StoreRegistry): PodFeed {
  const pods = stores.generic("", "pods");
  return {
    list: () => pods.core.stored.range(pods.core.stored.tree, pods.core.stored.prefix),
    watch: (filter, consumer) => pods.core.stored.watch(filter, consumer),
  };
}
