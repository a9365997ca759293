import type { Logger } from "#component-base/logging.ts";
import type { ConntrackConfiguration, ProxyConfiguration, ProxyMode } from "../configuration/proxy-configuration.ts";
import type { ProxyHost } from "../host.ts";
import { contains } from "../traffic/ip-family.ts";

const MAX = "net/netfilter/nf_conntrack_max";
const ROUTE_LOCALNET = "net/ipv4/conf/all/route_localnet";
const HASH_SIZE = "nf_conntrack/parameters/hashsize";
/** Entries for each bucket of the kernel's hash table, as upstream keeps them. */
const ENTRIES_PER_BUCKET = 4;

/** Settings by path, in the order in which they are made. Those that the configuration leaves alone are not there. */
export function conntrackSettings(
  { maxPerCore, min, ...rest }: ConntrackConfiguration,
  processors: number,
): readonly (readonly [string, string])[] {
  const seconds = (ms: number): string => `${Math.floor(ms / 1000)}`;
  const timeout = (name: string, ms: number): (readonly [string, string])[] =>
    ms > 0 ? [[`net/netfilter/${name}`, seconds(ms)]] : [];
  return [
    ...(maxPerCore > 0 ? [[MAX, `${Math.max(maxPerCore * processors, min)}`] as const] : []),
    ...timeout("nf_conntrack_tcp_timeout_established", rest.tcpEstablishedTimeoutMs),
    ...timeout("nf_conntrack_tcp_timeout_close_wait", rest.tcpCloseWaitTimeoutMs),
    ...(rest.tcpBeLiberal ? [["net/netfilter/nf_conntrack_tcp_be_liberal", "1"] as const] : []),
    ...timeout("nf_conntrack_udp_timeout", rest.udpTimeoutMs),
    ...timeout("nf_conntrack_udp_timeout_stream", rest.udpStreamTimeoutMs),
  ];
}

/** Sets the kernel up. What this machine does not let it set is said once and left: rules work without. */
export async function applyKernelSettings(
  host: ProxyHost,
  configuration: ProxyConfiguration & { readonly mode: ProxyMode },
  logger: Logger,
): Promise<void> {
  const attempt = async (path: string, value: string, write: () => Promise<void>): Promise<void> => {
    try {
      await write();
      logger.info({ setting: path, value }, "kernel setting changed");
    } catch (error) {
      logger.warn({ setting: path, value, err: error }, "kernel setting cannot be changed: it stays as it is");
    }
  };
  const ensure = async (path: string, value: string): Promise<void> => {
    const now = (await host.readSetting(path))?.trim();
    if (now === undefined) logger.debug({ setting: path }, "kernel setting is not there");
    else if (now !== value) await attempt(path, value, () => host.writeSetting(path, value));
  };
  for (const [path, value] of conntrackSettings(configuration.conntrack, host.processors)) {
    if (path === MAX && Number(await host.readSetting(MAX)) >= Number(value)) continue;
    await ensure(path, value);
    if (path === MAX) await growHashTable(host, Number(value) / ENTRIES_PER_BUCKET, attempt);
  }
  if (opensLocalhost(configuration)) await ensure(ROUTE_LOCALNET, "1");
}

async function growHashTable(
  host: ProxyHost,
  wanted: number,
  attempt: (path: string, value: string, write: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const now = await host.readModuleParameter(HASH_SIZE);
  if (now === undefined || Number(now) >= wanted) return;
  await attempt(HASH_SIZE, `${wanted}`, () => host.writeModuleParameter(HASH_SIZE, `${wanted}`));
}

/** Whether node ports are served on 127.0.0.1, which the kernel routes only where it is told to. */
function opensLocalhost({ mode, iptables, nodePortAddresses }: ProxyConfiguration & { readonly mode: ProxyMode }): boolean {
  if (mode !== "iptables" || !iptables.localhostNodePorts) return false;
  return nodePortAddresses.length === 0 || nodePortAddresses.some((network) => contains(network, "127.0.0.1"));
}
