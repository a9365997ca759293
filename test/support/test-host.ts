import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { canMakeMachines, cgroupRoots, cgroupsBelow, childrenOf, NamespaceHolder } from "./namespaces.ts";

const script = (name: string): string => fileURLToPath(new URL(`../../hack/machine/${name}.sh`, import.meta.url));
const repository: string = fileURLToPath(new URL("../..", import.meta.url));

/** Whether test hosts can be made here. */
export const hasTestHosts: boolean = canMakeMachines();
/** What a test's name says where they cannot. */
export const TEST_HOST_REASON = "needs root, and namespaces";

/** Folders and cgroups of this process's machines begin with it. */
const NAME = `kybern-host-${process.pid}-`;
/** Size of a machine's disk, which is memory that is taken when it is written. */
const DISK_SIZE = "4g";
/** How long one command may take, unless it is said. */
const COMMAND_TIMEOUT_MS = 60_000;
/** How much of what a program prints is kept, in characters. */
const OUTPUT_MAX = 400_000;
const PATIENCE_MS = 20_000;
/** Where tests put programs of their own: they are found before those of the real machine. */
export const PROGRAM_DIR = "/opt/kybern/bin";
const PATH = `${PROGRAM_DIR}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

/** A cable's other end: machines that are plugged into the same switch reach each other, and nothing else. */
export class TestNetwork implements AsyncDisposable {
  readonly #switch: NamespaceHolder;
  /** The address of the switch itself, which is the machines' gateway, with the length of the prefix. */
  readonly gateway: string;
  #ports = 0;

  private constructor(holder: NamespaceHolder, gateway: string) {
    this.#switch = holder;
    this.gateway = gateway;
  }

  /** `gateway` is an address with the length of its prefix: `192.168.24.1/24`. */
  static async start(gateway: string): Promise<TestNetwork> {
    return new TestNetwork(await NamespaceHolder.start("unshare", ["--net", "--", script("switch"), gateway]), gateway);
  }

  /** Gives the machine of process `pid` an `eth0` with these addresses. */
  plug(pid: number, addresses: readonly string[]): void {
    const port = `p${this.#ports++}`;
    const [gateway, prefix] = this.gateway.split("/");
    ip("link", "add", "eth0", "netns", String(pid), "type", "veth", "peer", "name", port, "netns", String(this.#switch.pid));
    const there = (...args: string[]): void => void execFileSync("nsenter", ["--net", `--target=${pid}`, "ip", ...args]);
    const here = ["--net", `--target=${this.#switch.pid}`, "ip", "link", "set", port, "master", "switch", "up"];
    execFileSync("nsenter", here);
    for (const address of addresses) there("address", "add", `${address}/${prefix}`, "dev", "eth0");
    there("link", "set", "eth0", "up");
    there("route", "add", "default", "via", gateway ?? "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#switch[Symbol.asyncDispose]();
  }
}

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** A program that goes on, on a {@link TestHost}. */
export class HostProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly exited: Promise<number | null>;
  /** What it printed to both of its outputs, the end of it. */
  output = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    const keep = (chunk: Buffer): void => {
      this.output = (this.output + chunk).slice(-OUTPUT_MAX);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    this.exited = new Promise((resolve) => child.once("close", resolve));
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Its number as the real machine sees it. */
  get pid(): number {
    // The child of this process only enters the namespaces.
    return childrenOf(this.#child.pid ?? 0)[0] ?? this.#child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.isRunning) process.kill(this.pid, signal);
  }

  /** Asks it to end, and waits until it has. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.kill(signal);
    return await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }
}

/** How a command ended. */
export interface HostResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What {@link TestHost.run} and {@link TestHost.start} take. */
export interface HostCommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Takes away the empty folders of machines whose test was killed: all else of theirs went with it. */
function sweep(): void {
  for (const parent of [tmpdir(), ...cgroupRoots()])
    for (const name of readdirSync(parent)) {
      const pid = /^kybern-host-(\d+)-/.exec(name)?.[1];
      if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
      for (const path of cgroupsBelow(join(parent, name))) {
        try {
          rmdirSync(path);
        } catch {
          // Somebody else takes it away at the same time, or it is in use after all.
        }
      }
    }
}

/**
 * A machine for tests: namespaces of its own for mounts, network, processes, names and cgroups, on the real machine's kernel and
 * programs. Whatever is written to its files stays in memory and goes with it. Its processes end with the test.
 */
export class TestHost implements AsyncDisposable {
  readonly name: string;
  /** Its first address. */
  readonly address: string;
  readonly #addresses: readonly string[];
  readonly #network: TestNetwork;
  readonly #dir: string = mkdtempSync(join(tmpdir(), NAME));
  readonly #cgroup: string = `${NAME}${randomBytes(4).toString("hex")}`;
  /** What enters the machine's namespaces for the test. */
  readonly #entering = new Set<ChildProcess>();
  #disk: NamespaceHolder | undefined;
  #machine: NamespaceHolder | undefined;

  private constructor(network: TestNetwork, name: string, addresses: readonly string[]) {
    this.name = name;
    this.#network = network;
    this.#addresses = addresses;
    this.address = addresses[0] ?? "";
  }

  /** Starts a machine that is plugged into the network with these addresses. */
  static async start(network: TestNetwork, name: string, ...addresses: readonly string[]): Promise<TestHost> {
    sweep();
    const host = new TestHost(network, name, addresses);
    try {
      host.#disk = await NamespaceHolder.start("unshare", ["--mount", "--", script("disk"), host.#dir, DISK_SIZE]);
      await host.#boot();
      return host;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  get #pid(): number {
    if (this.#machine === undefined) throw new Error(`${this.name} is off`);
    return this.#machine.pid;
  }

  async #boot(): Promise<void> {
    this.#makeCgroups();
    const enter = cgroupRoots().map((root) => `echo $$ >${root}/${this.#cgroup}/cgroup.procs`);
    const own = ["--mount", "--net", "--uts", "--ipc", "--pid", "--cgroup", "--fork", "--kill-child"];
    const start = `${enter.join(";")}; exec unshare ${own.join(" ")} -- "$@"`;
    const machine = [script("machine"), this.#dir, this.name, repository];
    const disk = `--target=${this.#disk?.pid}`;
    this.#machine = await NamespaceHolder.start("nsenter", ["--mount", disk, "sh", "-c", start, "sh", ...machine]);
    this.#network.plug(this.#pid, this.#addresses);
    await this.run(["sh", "-c", `echo "${this.address} ${this.name}" >>/etc/hosts`]);
  }

  #makeCgroups(): void {
    for (const root of cgroupRoots()) {
      const path = join(root, this.#cgroup);
      mkdirSync(path, { recursive: true });
      // Where there are such files, nobody can be in a new one before they are filled.
      for (const file of ["cpuset.cpus", "cpuset.mems"])
        if (existsSync(join(path, file)) && existsSync(join(path, "cpuset.cpu_exclusive")))
          writeFileSync(join(path, file), readFileSync(join(root, file)));
    }
  }

  /** Ends all that runs on it, at once, as when the power goes. Its disk stays. */
  async crash(): Promise<void> {
    const ended = this.#machine?.[Symbol.asyncDispose]();
    // One that stands still, with its child, would keep the machine from going.
    for (const child of this.#entering) child.kill("SIGKILL");
    await ended;
    this.#machine = undefined;
    await this.#removeCgroups();
  }

  /** {@link crash}, and a start: nothing runs then. */
  async reboot(): Promise<void> {
    await this.crash();
    await this.#boot();
  }

  /** Where a file of this machine is for the test. */
  path(path: string): string {
    return `/proc/${this.#pid}/root${path}`;
  }

  /** Writes a file, with the folders above it. */
  write(path: string, content: string, mode = 0o644): void {
    mkdirSync(this.path(dirname(path)), { recursive: true });
    writeFileSync(this.path(path), content, { mode });
  }

  read(path: string): string {
    return readFileSync(this.path(path), "utf8");
  }

  /** Copies a file of the real machine. */
  copy(from: string, to: string): void {
    mkdirSync(this.path(dirname(to)), { recursive: true });
    copyFileSync(from, this.path(to));
  }

  #spawn(command: readonly string[], { env = {}, cwd = "/root" }: HostCommandOptions): ChildProcess {
    const own = ["--mount", "--net", "--uts", "--ipc", "--pid", "--cgroup"];
    const enter =
      'for file in $(find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs); do echo $$ >$file; done; cd "$0"; exec "$@"';
    const args = [`--target=${this.#pid}`, ...own, "--wdns=/", "--", "sh", "-c", enter, cwd, ...command];
    const base = { PATH, HOME: "/root", LANG: "C.UTF-8" };
    const child = spawn("nsenter", args, { env: { ...base, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    this.#entering.add(child);
    child.once("close", () => this.#entering.delete(child));
    return child;
  }

  /** Starts a program that goes on. */
  start(command: readonly string[], options: HostCommandOptions = {}): HostProgram {
    const child = this.#spawn(command, options);
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
    return new HostProgram(child);
  }

  /** Runs a command to its end; gives what it printed, whether it failed or not. */
  async tryRun(command: readonly string[], options: HostCommandOptions = {}): Promise<HostResult> {
    const child = this.#spawn(command, options);
    const printed = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name]?.on("data", (chunk) => {
        printed[name] = (printed[name] + chunk).slice(-OUTPUT_MAX);
      });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
    const timeoutMs = options.timeoutMs ?? COMMAND_TIMEOUT_MS;
    const stopped = new AbortController();
    const late = setTimeout(timeoutMs, undefined, { signal: stopped.signal }).then(
      () => {
        for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid, "SIGKILL");
        printed.stderr += `\nno end within ${timeoutMs} ms`;
      },
      () => undefined,
    );
    const code = await new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
    stopped.abort();
    await late;
    return { code: code ?? 255, ...printed };
  }

  /** Runs a command to its end; gives its standard output, and throws with all it printed when it fails. */
  async run(command: readonly string[], options: HostCommandOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.tryRun(command, options);
    if (code !== 0) throw new Error(`${this.name}: ${command.join(" ")} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** A script of bash. */
  async sh(text: string, options: HostCommandOptions = {}): Promise<string> {
    return await this.run(["bash", "-euc", text], options);
  }

  /** Cgroups that are left when nothing runs any more go too. */
  async #removeCgroups(): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const left = cgroupRoots().flatMap((root) => cgroupsBelow(join(root, this.#cgroup)));
      if (left.length === 0) return;
      for (const path of left) {
        try {
          rmdirSync(path);
        } catch (error) {
          // Its processes are ending.
          if (performance.now() > end) throw error;
        }
      }
      await setTimeout(20);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.crash();
    await this.#disk?.[Symbol.asyncDispose]();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
