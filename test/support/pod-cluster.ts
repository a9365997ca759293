import { vi } from "vitest";
import type { SimulationHooks } from "#kubelet/simulated-nodes.ts";
import { asker } from "./ask.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { containerdVersions } from "./containerd.ts";
import { RealNode, type RealNodeOptions } from "./real-node.ts";

/** What a test wants of a {@link PodCluster}. */
export interface PodClusterOptions {
  /** For simulated nodes. */
  readonly simulation?: SimulationHooks;
  /** For real ones. */
  readonly real?: Pick<RealNodeOptions, "config" | "options">;
}

/** A cluster with one node, on which pods really run or only pretend to. */
export interface PodCluster {
  readonly cluster: Cluster;
  readonly ask: ReturnType<typeof asker>;
  readonly nodeName: string;
  /** An image with busybox. */
  readonly image: string;
  readonly isReal: boolean;
  /** The node, where it is real. */
  readonly node: RealNode | undefined;
  stop(): Promise<void>;
}

/** A kind of node; what its tests are called. */
export interface PodClusterKind {
  readonly name: string;
  start(options?: PodClusterOptions): Promise<PodCluster>;
}

const SOON = { timeout: 20_000, interval: 50 };
/** How long starting one may take, in milliseconds. */
export const START_TIMEOUT_MS = 60_000;

const simulated: PodClusterKind = {
  name: "a simulated node",
  start: async ({ simulation } = {}) => {
    const cluster = await startCluster({ nodes: 1, ...(simulation === undefined ? {} : { simulation }) });
    const ask = await ready(cluster);
    return { cluster, ask, nodeName: "node-0", image: "i", isReal: false, node: undefined, stop: () => cluster.stop() };
  },
};

/** The same tests hold on all of them: a simulated node, and a kubelet on the newest containerd, where that can be had. */
export const podClusterKinds: readonly PodClusterKind[] = [
  simulated,
  ...containerdVersions.slice(-1).map(
    (version): PodClusterKind => ({
      name: version.name,
      start: async ({ real = {} } = {}) => {
        const node = await RealNode.start({ version, ...real, config: { syncFrequency: "1s", ...real.config } });
        const cluster = await startCluster({ nodes: 0, network: node.network });
        await node.register(cluster.client);
        await node.launch(cluster);
        const ask = await ready(cluster);
        const stop = async (): Promise<void> => {
          await cluster.stop();
          await node[Symbol.asyncDispose]();
        };
        return { cluster, ask, nodeName: node.nodeName, image: node.image, isReal: true, node, stop };
      },
    }),
  ),
];

/** Pods can be made when their account is there. */
async function ready(cluster: Cluster): Promise<ReturnType<typeof asker>> {
  const ask = asker(cluster);
  const account = "/api/v1/namespaces/default/serviceaccounts/default";
  const isThere = async (): Promise<void> => {
    if ((await ask("GET", account)).status !== 200) throw new Error("there is no service account yet");
  };
  await vi.waitFor(isThere, SOON);
  return ask;
}
