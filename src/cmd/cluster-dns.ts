import { readFile } from "node:fs/promises";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { ClusterDns } from "#cluster-dns/cluster-dns.ts";
import { parseUpstream, upstreamsOfResolvConf } from "#cluster-dns/forward/resolv-conf.ts";
import type { Upstream } from "#cluster-dns/sockets.ts";
import { labelsOf, nameOf } from "#cluster-dns/wire/dns-name.ts";
import { ipBytes } from "#cluster-dns/wire/ip-bytes.ts";
import type { PodMode } from "#cluster-dns/zone/answer.ts";
import { describeFlags, FlagError, parseFlags } from "#component-base/flags.ts";
import { apiServerAddress, clientOf } from "./api-client.ts";
import { type ClusterDnsFlags, clusterDnsFlags } from "./cluster-dns/flags.ts";
import { openDnsPorts } from "./cluster-dns/ports.ts";
import { dnsSockets } from "./cluster-dns/sockets.ts";
import { loggerOf } from "./flags/log-flags.ts";
import { notifyReady } from "./notify-ready.ts";
import type { ProgramCall } from "./program-call.ts";
import { untilInterrupted } from "./signals.ts";
import { explainStartFailure } from "./startup-error.ts";
import { printVersion } from "./version.ts";

const POD_MODES: readonly PodMode[] = ["insecure", "verified", "disabled"];

/** `kybern cluster-dns`: tells the addresses behind the names of a cluster. */
export async function clusterDns({ args }: ProgramCall): Promise<void> {
  const flags: ClusterDnsFlags = parseFlags(clusterDnsFlags, args);
  if (flags.help) {
    process.stdout.write(
      `Tells the addresses behind names of Services and pods.\n\nUsage: kybern cluster-dns --kubeconfig=FILE|--master=URL [flags]\n\n${describeFlags(clusterDnsFlags)}\n`,
    );
    return;
  }
  if (flags.version) return printVersion();
  checkFlags(flags);
  const explain = (error: unknown): never =>
    explainStartFailure(error, { dataDir: "", etcdServers: [], address: flags["bind-address"].join(","), port: flags.port });
  await run(flags).catch(explain);
}

async function run(flags: ClusterDnsFlags): Promise<void> {
  const logger = loggerOf("cluster-dns", flags);
  const interrupted = untilInterrupted();
  const upstreams = await upstreamsOf(flags.upstream, flags["resolv-conf"]);
  if (upstreams.length === 0) logger.warn({}, "no other DNS server is known: names outside the cluster are refused");
  const address = await apiServerAddress(flags);
  const client = clientOf(address, "cluster-dns", realClock);
  const dns = await ClusterDns.start({
    client,
    clock: realClock,
    random: systemRandom,
    logger,
    sockets: dnsSockets,
    addresses: flags["bind-address"],
    port: flags.port,
    clusterDomain: flags["cluster-domain"],
    pods: flags.pods as PodMode,
    upstreams,
  });
  const close = async (): Promise<void> => {
    await dns.close();
    client.close();
  };
  const closePorts = await openDnsPorts(dns, {
    health: flags["health-bind-address"],
    ready: flags["ready-bind-address"],
    metrics: flags["metrics-bind-address"],
  }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  logger.info({ server: address.server, port: dns.port, upstreams }, "cluster-dns runs");
  await notifyReady(logger);
  await interrupted;
  await closePorts();
  await close();
}

/** Who is asked for names outside the cluster: those that are named, or else those of a file, which need not be there. */
export async function upstreamsOf(named: readonly string[], resolvConf: string): Promise<readonly Upstream[]> {
  if (named.length === 0)
    return resolvConf === "" ? [] : upstreamsOfResolvConf(await readFile(resolvConf, "utf8").catch(() => ""));
  return named.map((one) => {
    const upstream = parseUpstream(one);
    if (upstream === undefined)
      throw new FlagError(`flag --upstream takes addresses such as 192.0.2.1 or [2001:db8::1]:53, not "${one}"`);
    return upstream;
  });
}

function checkFlags(flags: ClusterDnsFlags): void {
  const wrong = flags["bind-address"].find((address) => ipBytes(address) === undefined);
  if (wrong !== undefined) throw new FlagError(`flag --bind-address takes IP addresses, not "${wrong}"`);
  if (flags["bind-address"].length === 0) throw new FlagError("flag --bind-address takes at least one IP address");
  const domain = nameOf(flags["cluster-domain"]);
  if (domain === "" || labelsOf(domain) === undefined)
    throw new FlagError(`flag --cluster-domain takes a name such as cluster.local, not "${flags["cluster-domain"]}"`);
  if (!POD_MODES.some((mode) => mode === flags.pods))
    throw new FlagError(`flag --pods takes ${POD_MODES.join(", ")}, not "${flags.pods}"`);
}
