import type { Amounts } from "../inside/resource-values.ts";
import type { ContainerManager } from "./container-manager.ts";

/** For a node whose cgroups are left to the runtime: pods have none of their own, and containers no limits. */
export function unmanagedCgroups(capacity: Amounts): ContainerManager {
  return {
    start: async () => {},
    ensurePodCgroup: async () => "",
    removePodCgroup: async () => {},
    cleanUp: async () => {},
    containerResources: () => undefined,
    capacity: () => capacity,
    allocatable: () => capacity,
  };
}
