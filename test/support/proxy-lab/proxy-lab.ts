import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ProxyHost, RunResult } from "#kube-proxy/host.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const TOOLS = ["ip", "nsenter", "nft", "iptables", "ip6tables", "conntrack"];
const missing: readonly string[] = TOOLS.filter((tool) => !succeeds("sh", ["-c", `command -v ${tool}`]));

/** Whether networks can be made here. */
export const hasProxyLab: boolean = process.getuid?.() === 0 && missing.length === 0 && canMakeNamespaces();
/** What a test's name says where they cannot. */
export const PROXY_LAB_REASON: string =
  missing.length > 0
    ? `needs ${missing.join(", ")}, which hack/install-test-tools.sh brings`
    : "needs root, and network namespaces";

/** A machine of the network. `node` has the rules; `pod1` and `pod2` are its pods; `out` is no part of the cluster; `far` is another node, and its pod. */
export type Machine = "node" | "pod1" | "pod2" | "out" | "far";

/** Addresses by machine; of the other node that of its pod. */
export const ADDRESSES: Readonly<Record<Machine, Readonly<Record<"IPv4" | "IPv6", string>>>> = {
  node: { IPv4: "192.168.99.1", IPv6: "fd99::1" },
  out: { IPv4: "192.168.99.2", IPv6: "fd99::2" },
  far: { IPv4: "10.244.2.2", IPv6: "fd44:2::2" },
  pod1: { IPv4: "10.244.1.2", IPv6: "fd44:1::2" },
  pod2: { IPv4: "10.244.1.3", IPv6: "fd44:1::3" },
};

/** Who answered, and whom it saw; or why nobody did. */
export interface Answer {
  readonly by?: string;
  readonly seen?: string;
  /** `TIMEOUT` or an error number of the system. */
  readonly error?: string;
}

const TIMEOUT_MS = 700;

/** A node with pods and neighbours, each with a network of its own. */
export class ProxyLab implements AsyncDisposable {
  readonly #prefix: string;
  readonly #agents = new Map<Machine, Agent>();

  private constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Everybody but the node and `out` listens at `ports`, for TCP and UDP. */
  static async start(ports: readonly number[]): Promise<ProxyLab> {
    const lab = new ProxyLab(`kp${randomBytes(3).toString("hex")}`);
    try {
      execFileSync(here("network.sh"), [lab.#prefix], { stdio: ["ignore", "ignore", "pipe"] });
      for (const machine of ["node", "pod1", "pod2", "out", "far"] as const) {
        lab.#agents.set(machine, new Agent(lab.namespace(machine), machine));
      }
      await Promise.all((["pod1", "pod2", "far"] as const).map((machine) => lab.#listen(machine, ports)));
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The name of a machine's network namespace. */
  namespace(machine: Machine): string {
    return `${this.#prefix}-${machine}`;
  }

  /** Asks for an answer over TCP. */
  async tcp(from: Machine, host: string, port: number, timeoutMs: number = TIMEOUT_MS): Promise<Answer> {
    return answerOf(await this.#agent(from).ask({ op: "tcp", host, port, timeoutMs }));
  }

  /** Asks for an answer over UDP. The same `localPort` continues a flow. */
  async udp(from: Machine, host: string, port: number, localPort = 0): Promise<Answer> {
    return answerOf(await this.#agent(from).ask({ op: "udp", host, port, localPort, timeoutMs: TIMEOUT_MS }));
  }

  /** Makes a machine listen at a further port, on all its addresses. */
  async listen(machine: Machine, port: number): Promise<void> {
    await this.#listen(machine, [port]);
  }

  /** Runs a program on the node, to its end. */
  run(program: string, args: readonly string[], input = ""): Promise<RunResult> {
    return this.runOn("node", program, args, input);
  }

  /** Runs a program on a machine, to its end. */
  runOn(machine: Machine, program: string, args: readonly string[], input = ""): Promise<RunResult> {
    return runIn(this.namespace(machine), program, args, input);
  }

  /** The node as the proxy meets it. */
  get host(): ProxyHost {
    const node = this.namespace("node");
    const read = async (path: string): Promise<string | undefined> => {
      const { code, stdout } = await runIn(node, "cat", [path], "");
      return code === 0 ? stdout : undefined;
    };
    return {
      run: (program, args, input) => this.run(program, args, input),
      readSetting: (path) => read(`/proc/sys/${path}`),
      writeSetting: async (path, value) => {
        const { code, stderr } = await runIn(node, "sh", ["-c", `cat >/proc/sys/${path}`], value);
        if (code !== 0) throw new Error(stderr);
      },
      // Belongs to the whole machine: not for tests to touch.
      readModuleParameter: async () => undefined,
      writeModuleParameter: async () => {},
      localAddresses: () => {
        const links = JSON.parse(execFileSync("ip", ["-j", "-n", node, "address"], { encoding: "utf8" })) as {
          readonly ifname: string;
          readonly addr_info: readonly { readonly local: string }[];
        }[];
        return links.flatMap(({ ifname, addr_info }) =>
          addr_info.map(({ local }) => ({ interfaceName: ifname, address: local })),
        );
      },
      processors: 2,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
    for (const name of ["node", "pod1", "pod2", "out", "far", "lan"]) succeeds("ip", ["netns", "del", `${this.#prefix}-${name}`]);
  }

  async #listen(machine: Machine, ports: readonly number[]): Promise<void> {
    await this.#agent(machine).ask({ op: "listen", ports, addresses: Object.values(ADDRESSES[machine]) });
  }

  #agent(machine: Machine): Agent {
    const agent = this.#agents.get(machine);
    if (agent === undefined) throw new Error(`no machine ${machine}`);
    return agent;
  }
}

interface AgentResult {
  readonly text?: string;
  readonly error?: string;
}

class Agent {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (result: AgentResult) => void>();
  readonly #ended: Promise<unknown>;
  #last = 0;

  constructor(namespace: string, name: string) {
    const args = [`--net=/run/netns/${namespace}`, process.execPath, here("agent.mjs"), name];
    this.#child = spawn("nsenter", args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#ended = new Promise((resolve) => this.#child.once("close", resolve));
    if (this.#child.stdout === null) throw new Error("no output");
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const { id, ...result } = JSON.parse(line) as AgentResult & { readonly id: number };
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  ask(question: object): Promise<AgentResult> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.stdin?.write(`${JSON.stringify({ id, ...question })}\n`);
    });
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }
}

function answerOf({ text, error }: AgentResult): Answer {
  if (text === undefined) return { error: error ?? "nothing" };
  const [by = "", seen = ""] = text.split(" ");
  return { by, seen };
}

function runIn(namespace: string, program: string, args: readonly string[], input: string): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn("nsenter", [`--net=/run/netns/${namespace}`, program, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.once("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

function succeeds(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function canMakeNamespaces(): boolean {
  const name = `kp${randomBytes(3).toString("hex")}`;
  return succeeds("ip", ["netns", "add", name]) && succeeds("ip", ["netns", "del", name]);
}
