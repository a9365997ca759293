import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import type { Logger } from "#component-base/logging.ts";
import { DEFAULT_CONFIGURATION } from "#kube-proxy/configuration/proxy-configuration.ts";
import { KubeProxy } from "#kube-proxy/kube-proxy.ts";
import { proxyHost } from "../kube-proxy/host.ts";

/** Options of {@link startUpProxy}. */
export interface UpProxyOptions {
  readonly client: Client;
  readonly nodeName: string;
  readonly podCidr: string;
  readonly logger: Logger;
}

/** The proxy of `kybern up`. */
export interface UpProxy {
  /** `nftables` or `iptables`. */
  readonly mode: string;
  /** Takes the rules away. */
  close(): Promise<void>;
}

/**
 * Gives the addresses of Services a meaning on this machine, in this process. It opens no ports of its own, and leaves the kernel's
 * limits of connections alone: the machine is somebody's. Undefined, with a warning, where no rules can be made: Services lead nowhere then.
 */
export async function startUpProxy({ client, nodeName, podCidr, logger }: UpProxyOptions): Promise<UpProxy | undefined> {
  const { conntrack } = DEFAULT_CONFIGURATION;
  const untouched = {
    maxPerCore: 0,
    tcpEstablishedTimeoutMs: 0,
    tcpCloseWaitTimeoutMs: 0,
    udpTimeoutMs: 0,
    udpStreamTimeoutMs: 0,
  };
  const configuration = { ...DEFAULT_CONFIGURATION, clusterCIDR: podCidr, conntrack: { ...conntrack, ...untouched } };
  const parts = { client, clock: realClock, random: systemRandom, logger, host: proxyHost, nodeName };
  for (const mode of ["nftables", "iptables"] as const) {
    try {
      const proxy = await KubeProxy.start({ ...parts, configuration: { ...configuration, mode } });
      return { mode: proxy.mode, close: () => proxy.closeAndRemoveRules() };
    } catch (error) {
      logger.warn({ mode, err: error }, "no rules for Services can be made this way");
    }
  }
  return undefined;
}
