import { StreamMetrics } from "#apiserver/metrics/stream-metrics.ts";
import { BackendTransport } from "#apiserver/proxy/backend-transport.ts";
import type { NetworkDialer } from "#apiserver/proxy/network-dialer.ts";
import type { Clock } from "#base/clock.ts";
import { KubeletClient, type KubeletClientOptions } from "./kubelet-client.ts";

/** The ways from the API server into the cluster. */
export interface ClusterNetwork {
  readonly clock: Clock;
  readonly kubelets: KubeletClient;
  /** To pods and to nodes' other ports: certificates cannot be checked there, since they are dialled by address. */
  readonly proxy: BackendTransport;
  readonly metrics: StreamMetrics;
  /** How much a connection that was passed on may carry each way; any amount when 0. */
  readonly maxBytesPerSecond: number;
}

/** What leads into the cluster, over the machine's own network and over that of a simulation. */
export function clusterNetwork(options: {
  readonly clock: Clock;
  readonly kubelet: KubeletClientOptions;
  readonly dialer?: NetworkDialer | undefined;
  readonly maxBytesPerSecond?: number | undefined;
}): ClusterNetwork {
  const { clock, kubelet, dialer, maxBytesPerSecond = 0 } = options;
  const proxy = new BackendTransport({ clock, dialer, tls: { verify: false }, proxyableOnly: true });
  const kubelets = new KubeletClient(kubelet, { clock, dialer });
  return { clock, kubelets, proxy, metrics: new StreamMetrics(), maxBytesPerSecond };
}
