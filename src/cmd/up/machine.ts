import type { Logger } from "#component-base/logging.ts";
import type { ControlPlane } from "#envtest/control-plane.ts";
import type { ClusterAssets } from "#pki/cluster-assets.ts";
import type { RunningKubelet } from "../kubelet/start.ts";
import { startUpDns, type UpDns } from "./dns.ts";
import { startUpNode, upNodeName } from "./node.ts";
import { CLUSTER_DOMAIN, openPodGate, POD_CIDR, POD_GATEWAY, type PodGate, releaseAddress, takeAddress } from "./pod-network.ts";
import { startUpProxy, type UpProxy } from "./proxy.ts";

/** What makes this machine a node of `kybern up`. */
export interface UpMachine {
  readonly kubelet: RunningKubelet;
  /** Where pods find names; undefined where they have the machine's own servers. */
  readonly dnsAddress: string | undefined;
  /** How Services are made to work; undefined where they are not. */
  readonly proxyMode: string | undefined;
  /** Stops everything but the containers. */
  close(): Promise<void>;
}

/** Options of {@link startUpMachine}. */
export interface UpMachineOptions {
  readonly plane: ControlPlane;
  readonly assets: ClusterAssets;
  readonly dataDir: string;
  readonly serviceClusterIpRange: string;
  readonly containerRuntimeEndpoint: string;
  /** As {@link takeGateway} gave it. */
  readonly gateway: string | undefined;
  readonly bindAddress: string;
  readonly logger: Logger;
}

/** Makes the address by which pods know this machine its own, before there is a pod; undefined, with a warning, where that is not allowed. */
export async function takeGateway(logger: Logger): Promise<string | undefined> {
  try {
    await takeAddress(POD_GATEWAY);
    return POD_GATEWAY;
  } catch (error) {
    logger.warn({ address: POD_GATEWAY, err: error }, "pods reach neither the API server nor DNS: this address cannot be had");
    return undefined;
  }
}

/** Whether pods need a way to the API server because it listens on this machine's loopback alone. */
export function needsGate(bindAddress: string): boolean {
  return bindAddress.startsWith("127.");
}

/** Starts proxy, DNS server and kubelet in this process, and opens the way of pods to the API server. */
export async function startUpMachine(options: UpMachineOptions): Promise<UpMachine> {
  const { plane, gateway, logger } = options;
  let gate: PodGate | undefined;
  let proxy: UpProxy | undefined;
  let dns: UpDns | undefined;
  const closeRest = async (): Promise<void> => {
    await dns?.close();
    await proxy?.close();
    await gate?.close();
    if (gateway !== undefined) await releaseAddress(gateway, logger);
  };
  try {
    if (gateway !== undefined && needsGate(options.bindAddress)) gate = await openPodGate(plane.apiServer.port);
    const proxyClient = plane.clientFor("system:kube-proxy", ["system:node-proxier"]);
    proxy = await startUpProxy({ client: proxyClient, nodeName: upNodeName(), podCidr: POD_CIDR, logger });
    dns = await startUpDns({
      client: plane.clientFor("system:cluster-dns", ["system:masters"]),
      serviceClusterIpRange: options.serviceClusterIpRange,
      clusterDomain: CLUSTER_DOMAIN,
      listenAddress: proxy === undefined ? undefined : gateway,
      logger,
    });
    const kubelet = await startUpNode({
      dataDir: options.dataDir,
      assets: options.assets,
      server: plane.apiServer.url,
      endpoint: options.containerRuntimeEndpoint,
      clusterDns: dns === undefined ? [] : [dns.address],
      logger,
    });
    const close = async (): Promise<void> => {
      await kubelet.close();
      await closeRest();
    };
    return { kubelet, dnsAddress: dns?.address, proxyMode: proxy?.mode, close };
  } catch (error) {
    await closeRest();
    throw error;
  }
}
