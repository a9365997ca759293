import { execFile, execFileSync } from "node:child_process";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Names of namespaces and links begin so, with the id of the process that made them behind it. */
const MARK = "kyb";
/** Time for what is stopped at last to be gone. */
const PAUSE_MS = 20;
const PAUSES_MAX = 250;

/** Whether machines can be played by network namespaces: root, `ip`, `nft`, `nsenter`. */
export const hasNamespaces: boolean = canMakeNamespaces();
/** What a test's name says where they cannot. */
export const NAMESPACES_REASON = "needs root and network namespaces";

function canMakeNamespaces(): boolean {
  const name = `${MARK}-probe-${process.pid}`;
  try {
    execFileSync("ip", ["netns", "add", name], { stdio: "ignore" });
    try {
      execFileSync("nsenter", [`--net=/run/netns/${name}`, "nft", "add", "table", "inet", "probe"], { stdio: "ignore" });
    } finally {
      execFileSync("ip", ["netns", "del", name], { stdio: "ignore" });
    }
    return true;
  } catch {
    return false;
  }
}

/** One machine. */
export interface Host {
  readonly name: string;
  readonly ip: string;
  /** File that `nsenter --net` takes. */
  readonly namespace: string;
}

/**
 * Machines on one network: each a network namespace with an address of its own, joined by a bridge in a further namespace. This
 * process is on the network too. Namespaces that a killed process has left are removed by the next one.
 */
export class Network implements AsyncDisposable {
  /** This process's own address. */
  readonly ip: string;
  readonly #prefix: string;
  readonly #subnet: string;
  readonly #hosts = new Map<string, Host>();

  private constructor(prefix: string, subnet: string) {
    this.#prefix = prefix;
    this.#subnet = subnet;
    this.ip = `${subnet}.1`;
  }

  static async create(): Promise<Network> {
    await removeAbandoned();
    const prefix = `${MARK}${process.pid.toString(36)}`;
    const network = new Network(prefix, await freeSubnet());
    const hub = network.#namespace("hub");
    await ip("netns", "add", hub);
    await ip("-n", hub, "link", "add", "br0", "type", "bridge", "forward_delay", "0");
    await ip("-n", hub, "link", "set", "br0", "up");
    await ip("link", "add", prefix, "type", "veth", "peer", "name", "own", "netns", hub);
    await ip("-n", hub, "link", "set", "own", "master", "br0", "up");
    await ip("address", "add", `${network.ip}/24`, "dev", prefix);
    await ip("link", "set", prefix, "up");
    return network;
  }

  /** Adds a machine. */
  async host(name: string): Promise<Host> {
    const namespace = this.#namespace(name);
    const hub = this.#namespace("hub");
    const host = { name, ip: `${this.#subnet}.${this.#hosts.size + 2}`, namespace: `/run/netns/${namespace}` };
    this.#hosts.set(name, host);
    await ip("netns", "add", namespace);
    await ip("-n", hub, "link", "add", `to-${name}`, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    await ip("-n", hub, "link", "set", `to-${name}`, "master", "br0", "up");
    await ip("-n", namespace, "address", "add", `${host.ip}/24`, "dev", "eth0");
    await ip("-n", namespace, "link", "set", "eth0", "up");
    await ip("-n", namespace, "link", "set", "lo", "up");
    return host;
  }

  /** Pulls the machine's cable. */
  async unplug({ name }: Host): Promise<void> {
    await ip("-n", this.#namespace("hub"), "link", "set", `to-${name}`, "down");
  }

  async plug({ name }: Host): Promise<void> {
    await ip("-n", this.#namespace("hub"), "link", "set", `to-${name}`, "up");
  }

  /** Loses silently what goes between a machine and others. Both ways, unless it is only what arrives (`inbound`). */
  async cut(host: Host, from: readonly Host[], way: "both" | "inbound" = "both"): Promise<void> {
    const peers = from.map((peer) => peer.ip).join(", ");
    const rules = [
      "add table inet cut",
      "add chain inet cut in { type filter hook input priority 0; policy accept; }",
      "add chain inet cut out { type filter hook output priority 0; policy accept; }",
      `add rule inet cut in ip saddr { ${peers} } drop`,
      ...(way === "both" ? [`add rule inet cut out ip daddr { ${peers} } drop`] : []),
    ];
    await run("nsenter", [`--net=${host.namespace}`, "nft", rules.join("; ")]);
  }

  /** Ends every {@link cut} of a machine. */
  async mend(host: Host): Promise<void> {
    // Deleting what is not there is an error, and adding what is there is none.
    await run("nsenter", [`--net=${host.namespace}`, "nft", "add table inet cut; delete table inet cut"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeNetwork(this.#prefix);
  }

  #namespace(name: string): string {
    return `${this.#prefix}-${name}`;
  }
}

async function ip(...args: string[]): Promise<string> {
  return (await run("ip", args)).stdout;
}

/** The first three parts of a range that no route leads to. */
async function freeSubnet(): Promise<string> {
  const routes = await ip("route", "show");
  for (let i = 0; i < 256; i++) {
    const subnet = `10.213.${(process.pid + i) % 256}`;
    if (!routes.includes(`${subnet}.`)) return subnet;
  }
  throw new Error("no range of addresses is free");
}

/** What processes have left that were killed before they could clean up. */
async function removeAbandoned(): Promise<void> {
  const namespaces = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
  const owners = namespaces.flatMap((name) => new RegExp(`^(${MARK}([0-9a-z]+))-`).exec(name)?.slice(1, 3) ?? []);
  const prefixes = new Map<string, number>();
  for (let i = 0; i + 1 < owners.length; i += 2) prefixes.set(owners[i] ?? "", Number.parseInt(owners[i + 1] ?? "", 36));
  // Somebody else may be removing them at the same time.
  for (const [prefix, pid] of prefixes) if (!existsSync(`/proc/${pid}`)) await removeNetwork(prefix).catch(() => undefined);
}

async function removeNetwork(prefix: string): Promise<void> {
  const namespaces = readdirSync("/run/netns").filter((name) => name.startsWith(`${prefix}-`));
  for (const name of namespaces) {
    for (let i = 0; i < PAUSES_MAX; i++) {
      const pids = (await ip("netns", "pids", name)).split("\n").filter((pid) => pid !== "");
      if (pids.length === 0) break;
      // Whoever is frozen dies of this signal too.
      for (const pid of pids) kill(Number(pid));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    await ip("netns", "del", name);
  }
  await ip("link", "del", prefix).catch(() => undefined);
}

function kill(pid: number): void {
  try {
    if (readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync("/proc/self/ns/net")) process.kill(pid, "SIGKILL");
  } catch {
    // It has gone by itself.
  }
}
