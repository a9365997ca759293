import type { NetworkDialer } from "#apiserver/proxy/network-dialer.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { silentLogger } from "#component-base/logging.ts";
import { RuntimeConfig } from "#kube-apiserver/runtime-config.ts";
import { parseServiceRanges } from "#kube-apiserver/service-ranges.ts";
import type { SimulatedNodes, SimulationHooks } from "#kubelet/simulated-nodes.ts";
import { ensureClusterAssets } from "#pki/cluster-assets.ts";
import { renderKubeconfig } from "#pki/kubeconfig.ts";
import type { KVStore } from "#storage/kv.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { startControlPlane } from "./control-plane.ts";

/** How a test wants its cluster. */
export interface StartClusterOptions {
  /** Simulated nodes; 1 when absent. */
  readonly nodes?: number;
  /** Port of the API; a free one when absent. */
  readonly port?: number;
  /** A CIDR, or one of each family with a comma between, which gives nodes and pods addresses of both; `10.96.0.0/12` when absent. */
  readonly serviceClusterIpRange?: string;
  /** What `--runtime-config` says, one pair each: `extensions/v1beta1=true`. Only stable versions are served when absent. */
  readonly runtimeConfig?: readonly string[];
  /** Let requests without credentials in as `system:anonymous`. Off when absent. */
  readonly anonymousAuth?: boolean;
  /** Serves the page at `/swagger-ui/`. Default: false. */
  readonly swaggerUi?: boolean;
  /** How long a node may be silent before it counts as gone, in seconds; upstream's `--node-monitor-grace-period`, 50 s when absent. */
  readonly nodeMonitorGracePeriodSeconds?: number;
  /** Leads `exec`, `log`, `proxy` and the like to addresses of the test's own. */
  readonly network?: NetworkDialer;
  /** What runs when a command is run in a simulated container, and what answers at its ports. */
  readonly simulation?: SimulationHooks;
  /** The kubelets' `nodeLeaseDurationSeconds`, 40 when absent: a node shows that it lives four times in that. */
  readonly nodeLeaseDurationSeconds?: number;
  /** Where the cluster keeps its state, an empty store that is closed with it; a new one in memory when absent. */
  readonly store?: KVStore;
  /**
   * So many changes of a resource a watch may be behind and still resume; one that is further behind is told `410 Gone`. 8,192 when
   * absent: with a few a test sees whether its client lists again then.
   */
  readonly watchHistoryEvents?: number;
}

/** PEM texts of the administrator. */
export interface ClusterCredentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A cluster inside a test. Stop it, or hold it with `await using`. */
export interface Cluster extends AsyncDisposable {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** A kubeconfig for the administrator, with everything inline. */
  readonly kubeconfig: string;
  readonly credentials: ClusterCredentials;
  /** The API as the administrator, without sockets. Objects that come back are shared: read-only. */
  readonly client: Client;
  /** The simulated nodes, to stop and start one by one. */
  readonly nodes: SimulatedNodes;
  /** Ends everything that the cluster started. Can be called again. */
  stop(): Promise<void>;
}

/** The service range of a cluster whose test names none, as kubeadm's. */
const DEFAULT_SERVICE_RANGE = "10.96.0.0/12";

/**
 * Starts a whole cluster in this process, in memory unless a store is given, on a free port of the loopback interface. Any number run side
 * by side. Resolves when the API server is ready and the controllers run; nodes become Ready shortly after.
 */
export async function startCluster(options: StartClusterOptions = {}): Promise<Cluster> {
  const clock = realClock;
  const random = systemRandom;
  const serviceClusterIpRange = parseServiceRanges(options.serviceClusterIpRange ?? DEFAULT_SERVICE_RANGE).join(",");
  const assets = await ensureClusterAssets({ clock, hosts: ["127.0.0.1"], serviceClusterIpRange });
  const kv = options.store ?? new MemoryStore({ clock });
  const { nodeMonitorGracePeriodSeconds, nodeLeaseDurationSeconds, watchHistoryEvents } = options;
  const plane = await startControlPlane({
    kv,
    clock,
    random,
    logger: silentLogger,
    assets,
    bindAddress: "127.0.0.1",
    port: options.port ?? 0,
    serviceClusterIpRange,
    authentication: { anonymousAuth: options.anonymousAuth ?? false },
    nodes: options.nodes ?? 1,
    swaggerUi: options.swaggerUi ?? false,
    ...(options.runtimeConfig === undefined ? {} : { runtimeConfig: new RuntimeConfig(options.runtimeConfig) }),
    ...(nodeMonitorGracePeriodSeconds === undefined ? {} : { nodeMonitorGracePeriodMs: nodeMonitorGracePeriodSeconds * 1000 }),
    ...(options.network === undefined ? {} : { network: options.network }),
    ...(options.simulation === undefined ? {} : { simulation: options.simulation }),
    ...(nodeLeaseDurationSeconds === undefined ? {} : { nodeLeaseDurationSeconds }),
    ...(watchHistoryEvents === undefined ? {} : { storage: { historyEventsMax: watchHistoryEvents } }),
  });
  const credentials = { ca: assets.ca.cert, cert: assets.admin.cert, key: assets.admin.key };
  const { url } = plane.apiServer;
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= plane.stop().then(() => kv.close());
    return stopping;
  };
  return {
    url,
    credentials,
    kubeconfig: renderKubeconfig({ server: url, user: "kubernetes-admin", ...credentials }),
    client: plane.clientFor("kubernetes-admin", ["system:masters"]),
    nodes: plane.nodes,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
