import { type Cluster, type StartClusterOptions, startCluster as start } from "../../src/envtest/envtest.ts";
import { openTestStore } from "./store.ts";

export type { Cluster, ClusterCredentials, StartClusterOptions } from "../../src/envtest/envtest.ts";

/** In the place of envtest's own in runs with `KYBERN_TEST_STORE`: the cluster is on the store that this asks for. */
export async function startCluster(options: StartClusterOptions = {}): Promise<Cluster> {
  return start({ ...options, store: options.store ?? (await openTestStore()) });
}
