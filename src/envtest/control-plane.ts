import { setMaxListeners } from "node:events";
import type { NetworkDialer } from "#apiserver/proxy/network-dialer.ts";
import type { StorageSettings } from "#apiserver/registry/store/storage-settings.ts";
import type { ServingOptions } from "#apiserver/server/serving-options.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import type { Logger } from "#component-base/logging.ts";
import type { AdmissionPluginChoice } from "#kube-apiserver/admission/plugins.ts";
import type { AuditOptions } from "#kube-apiserver/audit/audit.ts";
import type { AuthenticationOptions } from "#kube-apiserver/authentication/authentication-options.ts";
import type { AuthorizationOptions } from "#kube-apiserver/authorization/authorization.ts";
import type { EncryptionOptions } from "#kube-apiserver/encryption/encryption-at-rest.ts";
import type { KubeletClientOptions } from "#kube-apiserver/kubelet-client/kubelet-client.ts";
import type { Profiles } from "#kube-apiserver/profile-routes.ts";
import type { RuntimeConfig } from "#kube-apiserver/runtime-config.ts";
import { startKubeApiServer } from "#kube-apiserver/server.ts";
import type { KubeApiServer } from "#kube-apiserver/server-options.ts";
import { parseServiceRanges } from "#kube-apiserver/service-ranges.ts";
import { type ControllerManagerOptions, startControllerManager } from "#kube-controller-manager/controller-manager.ts";
import { startElectedControllerManager } from "#kube-controller-manager/elected-controller-manager.ts";
import { type RunningScheduler, startScheduler } from "#kube-scheduler/scheduler.ts";
import { SimulatedNetwork } from "#kubelet/simulated-network.ts";
import { type SimulatedNodes, type SimulationHooks, startSimulatedNodes } from "#kubelet/simulated-nodes.ts";
import { issueCertificate, type LeafRequest, signCertificateRequest } from "#pki/certificate.ts";
import type { ClusterAssets } from "#pki/cluster-assets.ts";
import type { KVStore } from "#storage/kv.ts";

/** What may run beside the API server. */
export const CONTROL_PLANE_COMPONENTS = ["kube-controller-manager", "kube-scheduler"] as const;

/** One of {@link CONTROL_PLANE_COMPONENTS}. */
export type ControlPlaneComponent = (typeof CONTROL_PLANE_COMPONENTS)[number];

/** What a control plane is made of. Everything that comes from outside is a parameter. */
export interface ControlPlaneOptions {
  readonly kv: KVStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly assets: ClusterAssets;
  readonly bindAddress: string;
  /** Address that members of the cluster reach the API server by. Default: the bound one, or the machine's first. */
  readonly advertiseAddress?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly serviceClusterIpRange: string;
  /** Serves the page at `/swagger-ui/`. */
  readonly swaggerUi?: boolean;
  readonly authentication: AuthenticationOptions;
  /** Default: Node and RBAC. */
  readonly authorization?: AuthorizationOptions;
  /** Default: the plugins that run unasked. */
  readonly admission?: AdmissionPluginChoice;
  /** Which versions of the API are served. Default: the stable ones. */
  readonly runtimeConfig?: RuntimeConfig;
  /** Nothing is encrypted before it is stored when absent. */
  readonly encryption?: EncryptionOptions;
  /** How objects are stored. */
  readonly storage?: StorageSettings;
  /** Nothing is written down when absent. */
  readonly audit?: AuditOptions;
  /** How kubelets are reached. */
  readonly kubelet?: KubeletClientOptions;
  /** How much an upgraded connection may carry each way, in bytes a second; any amount when 0 or absent. */
  readonly maxConnectionBytesPerSecond?: number;
  /** How the API server speaks with its clients, and what it shows of itself. Default: as upstream, without profiles. */
  readonly serving?: ServingOptions;
  readonly profiles?: Profiles;
  /** Leads the API server to nodes and pods that the machine's own network does not reach, before those that are simulated. */
  readonly network?: NetworkDialer;
  /** What a test puts in the place of what simulated containers do. */
  readonly simulation?: SimulationHooks;
  /** What runs beside the API server. Default: all. */
  readonly components?: readonly ControlPlaneComponent[];
  /** Number of simulated nodes. */
  readonly nodes: number;
  /** How long a node may be silent before it counts as gone, in milliseconds; upstream's `--node-monitor-grace-period`. */
  readonly nodeMonitorGracePeriodMs?: number;
  /** The kubelet's `nodeLeaseDurationSeconds`: nodes show four times in that they live. */
  readonly nodeLeaseDurationSeconds?: number;
  /** Called with the API server's URL as soon as it can be connected with: see `KubeApiServerOptions`. */
  readonly onListening?: (url: string) => Promise<void>;
}

/** A control plane that runs. */
export interface ControlPlane {
  readonly apiServer: KubeApiServer;
  readonly nodes: SimulatedNodes;
  /** A client in this process for one of Kubernetes' own users. */
  clientFor(user: string, groups?: readonly string[]): Client;
  /** Takes up certificates that were made anew: for new connections, and for what is signed from now on. */
  useCertificates(assets: ClusterAssets): Promise<void>;
  /** Stops nodes, scheduler and controllers, then the API server. Leaves the store open. */
  stop(): Promise<void>;
}

/** Starts API server, controller manager, scheduler and simulated nodes in this process, wired to each other without sockets. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { clock, random, logger, kv, assets, bindAddress, port, serviceClusterIpRange } = options;
  const { authentication, authorization, admission, audit, runtimeConfig } = options;
  const runs = (component: ControlPlaneComponent): boolean => options.components?.includes(component) ?? true;
  let current = assets;
  let controllers: { healthy(): boolean; stop(): Promise<void> } | undefined;
  let scheduler: RunningScheduler | undefined;
  const simulated = new SimulatedNetwork();
  const apiServer = await startKubeApiServer({
    kv,
    clock,
    random,
    logger,
    assets,
    bindAddress,
    ...(options.advertiseAddress === undefined ? {} : { advertiseAddress: options.advertiseAddress }),
    port,
    serviceClusterIpRange,
    authentication,
    ...(authorization === undefined ? {} : { authorization }),
    ...(admission === undefined ? {} : { admission }),
    ...(audit === undefined ? {} : { audit }),
    ...(options.encryption === undefined ? {} : { encryption: options.encryption }),
    ...(options.storage === undefined ? {} : { storage: options.storage }),
    swaggerUi: options.swaggerUi ?? false,
    ...(runtimeConfig === undefined ? {} : { runtimeConfig }),
    ...(options.kubelet === undefined ? {} : { kubelet: options.kubelet }),
    ...(options.serving === undefined ? {} : { serving: options.serving }),
    ...(options.profiles === undefined ? {} : { profiles: options.profiles }),
    ...(options.maxConnectionBytesPerSecond === undefined
      ? {}
      : { maxConnectionBytesPerSecond: options.maxConnectionBytesPerSecond }),
    network: options.network === undefined ? simulated : joinNetworks(options.network, simulated),
    ...(options.onListening === undefined ? {} : { onListening: options.onListening }),
    componentHealth: {
      "controller-manager": () => controllers?.healthy() ?? false,
      scheduler: () => scheduler?.healthz() ?? false,
    },
  });
  const stopped = new AbortController();
  const { signal } = stopped;
  // Every informer, queue and timer of the process hangs on this one signal.
  setMaxListeners(0, signal);
  const clientFor = (name: string, groups: readonly string[] = []): Client =>
    apiServer.inProcessClient({ name, uid: "", groups: [...groups, "system:authenticated"], extra: {} });
  try {
    // What a cluster begins with comes first: nobody waits for the controllers, many wait for `/readyz`. A failure has been logged.
    await apiServer.ready.catch(() => undefined);
    const identity = `kybern_${random.uuid()}`;
    // One process needs no lease to be the only one that acts; on a store that others share it stands for election.
    const { shared } = kv.features;
    // The controllers act for all of upstream's controller accounts at once, which together may do nearly everything.
    const managerOptions: ControllerManagerOptions = {
      client: clientFor("system:kube-controller-manager", ["system:masters"]),
      clock,
      random,
      signal,
      options: {
        rootCa: assets.ca.cert,
        serviceAccountSigningKey: assets.serviceAccount,
        clusterSigner: (request) => signCertificateRequest(current.ca, request),
        ...(options.nodeMonitorGracePeriodMs === undefined ? {} : { nodeMonitorGracePeriodMs: options.nodeMonitorGracePeriodMs }),
      },
      logger,
      onInformerError: (resource, error) => logger.warn({ resource, err: error }, "an informer of the controller manager failed"),
    };
    if (runs("kube-controller-manager")) {
      controllers = shared
        ? startElectedControllerManager({ ...managerOptions, identity })
        : await startControllerManager(managerOptions);
    }
    if (runs("kube-scheduler")) {
      const client = clientFor("system:kube-scheduler");
      scheduler = await startScheduler({ client, clock, random, logger, signal, identity, leaderElect: shared });
    }
    const nodes = await startSimulatedNodes({
      client: clientFor("system:node:simulated", ["system:masters"]),
      clock,
      random,
      signal,
      count: options.nodes,
      namePrefix: "node-",
      families: parseServiceRanges(serviceClusterIpRange).map((range) => (range.includes(":") ? "IPv6" : "IPv4")),
      network: simulated,
      authority: {
        clientCa: assets.ca.cert,
        issueServing: (name, hosts) => issueCertificate(current.ca, servingRequest(name, hosts), clock.now()),
      },
      ...(options.simulation === undefined ? {} : { hooks: options.simulation }),
      ...(options.nodeLeaseDurationSeconds === undefined ? {} : { leaseDurationSeconds: options.nodeLeaseDurationSeconds }),
    });
    const running = [nodes, scheduler, controllers].filter((part) => part !== undefined);
    return {
      apiServer,
      nodes,
      clientFor,
      useCertificates: (next) => {
        current = next;
        return apiServer.useCertificates(next);
      },
      async stop() {
        stopped.abort(new Error("the control plane is stopping"));
        await Promise.all(running.map((part) => part.stop()));
        await apiServer.stop();
      },
    };
  } catch (error) {
    stopped.abort(error);
    await apiServer.stop();
    throw error;
  }
}

/** What a node's own server says of itself, as kubelets ask it of the cluster (`kubernetes.io/kubelet-serving`). */
function servingRequest(nodeName: string, hosts: readonly string[]): LeafRequest {
  return { commonName: `system:node:${nodeName}`, organizations: ["system:nodes"], usages: ["server"], hosts };
}

/** The first network that reaches a host leads to it. */
function joinNetworks(first: NetworkDialer, second: NetworkDialer): NetworkDialer {
  return {
    reaches: (host) => first.reaches(host) || second.reaches(host),
    dial: (host, port) => (first.reaches(host) ? first : second).dial(host, port),
  };
}
