import type { ProxyConfiguration, ProxyMode } from "./configuration/proxy-configuration.ts";
import type { ProxyHost } from "./host.ts";
import { tableOf } from "./nftables/transaction.ts";
import { IP_FAMILIES, type IpFamily } from "./traffic/ip-family.ts";

/** A mode, and the families of addresses that the machine has rules for. */
export interface ChosenMode {
  readonly mode: ProxyMode;
  readonly families: readonly IpFamily[];
}

/** No mode works here, or not the one that was asked for. The message says what is missing. */
export class ModeError extends Error {
  override readonly name = "ModeError";
}

/** Finds out what works here: the mode that is asked for, else iptables as upstream, else nftables. Rejects with a {@link ModeError}. */
export async function chooseMode(host: ProxyHost, { mode }: ProxyConfiguration): Promise<ChosenMode> {
  const refusals: string[] = [];
  for (const candidate of mode === "" ? (["iptables", "nftables"] as const) : [mode]) {
    const tries = await Promise.all(IP_FAMILIES.map((family) => refusalOf(host, candidate, family)));
    const families = IP_FAMILIES.filter((_, i) => tries[i] === undefined);
    if (families.length > 0) return { mode: candidate, families };
    refusals.push(`${candidate}: ${tries[0]}`);
  }
  throw new ModeError(`no rules can be made here: ${refusals.join("; ")}`);
}

async function refusalOf(host: ProxyHost, mode: ProxyMode, family: IpFamily): Promise<string | undefined> {
  const { code, stderr } = mode === "iptables" ? await tryIptables(host, family) : await tryNftables(host, family);
  if (code === 0) return undefined;
  const program = mode === "iptables" ? "iptables" : "nft";
  if (code === 127) return `there is no program ${program}; install the package ${mode}, and conntrack beside it`;
  return stderr.trim().split("\n")[0] ?? `${program} ended with ${code}`;
}

function tryIptables(host: ProxyHost, family: IpFamily): ReturnType<ProxyHost["run"]> {
  return host.run(family === "IPv4" ? "iptables" : "ip6tables", ["-w", "5", "-t", "nat", "-S", "POSTROUTING"]);
}

/** `--check` goes as far as the kernel's answer, and leaves nothing. */
function tryNftables(host: ProxyHost, family: IpFamily): ReturnType<ProxyHost["run"]> {
  return host.run("nft", ["--check", "-f", "-"], `add table ${tableOf(family)}\n`);
}
