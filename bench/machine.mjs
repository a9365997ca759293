// A machine for workloads that need root: namespaces of its own for mounts, network, processes, names and cgroups, on the real machine's
// kernel and programs. Whatever is written to its files stays in memory and goes with it.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { closedAtEnd } from "./leftovers.mjs";
import { sleep } from "./steps/measure.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const script = (name) => join(root, "hack/machine", `${name}.sh`);
/** Folders and cgroups of this process's machines begin with it. Test hosts, which are named alike, sweep what a killed run leaves. */
const NAME = `kybern-host-${process.pid}-`;
const DISK_SIZE = "4g";
const PATIENCE_MS = 20_000;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const OUTPUT_MAX = 20_000;
/** Addresses of no network that there is; nothing is behind the cable. */
const ADDRESS = "192.168.47.10/24";
const GATEWAY = "192.168.47.1";

/** Whether machines can be made here. */
export function canMakeMachines() {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync("unshare", ["--mount", "--net", "--uts", "--pid", "--cgroup", "--fork", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Starts a machine with one address. Close it: it ends with this process too. */
export async function startMachine(name) {
  const machine = new Machine(name);
  machine.forget = closedAtEnd(() => machine.close());
  try {
    await machine.boot();
    return machine;
  } catch (error) {
    await machine.close();
    throw error;
  }
}

class Machine {
  #name;
  #dir = mkdtempSync(join(tmpdir(), NAME));
  #cgroup = `${NAME}${Math.random().toString(36).slice(2, 10)}`;
  #holders = [];
  #pid;
  /** What closes it when the run is broken off no longer does. */
  forget;

  constructor(name) {
    this.#name = name;
  }

  async boot() {
    const disk = await this.#hold("unshare", ["--mount", "--", script("disk"), this.#dir, DISK_SIZE]);
    this.#makeCgroups();
    const enter = cgroupRoots().map((path) => `echo $$ >${path}/${this.#cgroup}/cgroup.procs`);
    const own = ["--mount", "--net", "--uts", "--ipc", "--pid", "--cgroup", "--fork", "--kill-child"];
    const start = `${enter.join(";")}; exec unshare ${own.join(" ")} -- "$@"`;
    const machine = [script("machine"), this.#dir, this.#name, root];
    this.#pid = await this.#hold("nsenter", ["--mount", `--target=${disk}`, "sh", "-c", start, "sh", ...machine]);
    const cable = `ip link add eth0 type veth peer name cable
ip address add ${ADDRESS} dev eth0
ip link set cable up
ip link set eth0 up
ip route add default via ${GATEWAY} dev eth0
echo "${ADDRESS.split("/")[0]} ${this.#name}" >>/etc/hosts`;
    await this.run(["sh", "-euc", cable]);
  }

  /** Runs what makes namespaces until it says that they are there; gives the process in them. They go with its standard input. */
  async #hold(command, args) {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#holders.push(child);
    let output = "";
    child.stdin.on("error", () => {});
    await new Promise((resolve, reject) => {
      const failed = (why) => reject(new Error(`${command}: ${why}: ${output}`));
      const late = setTimeout(() => failed("not ready"), PATIENCE_MS);
      child.stderr.on("data", (chunk) => {
        output = (output + chunk).slice(-OUTPUT_MAX);
      });
      child.stdout.on("data", (chunk) => {
        if (String(chunk).includes("ready")) resolve();
      });
      child.once("error", failed);
      child.once("close", () => failed("ended"));
      child.stdout.once("data", () => clearTimeout(late));
    });
    return innermost(child.pid);
  }

  #makeCgroups() {
    for (const path of cgroupRoots()) {
      const own = join(path, this.#cgroup);
      mkdirSync(own, { recursive: true });
      // Where there are such files, nobody can be in a new one before they are filled.
      for (const file of ["cpuset.cpus", "cpuset.mems"])
        if (existsSync(join(own, file)) && existsSync(join(own, "cpuset.cpu_exclusive")))
          writeFileSync(join(own, file), readFileSync(join(path, file)));
    }
  }

  /** Writes one of its files. */
  write(path, content) {
    const there = `/proc/${this.#pid}/root${path}`;
    mkdirSync(dirname(there), { recursive: true });
    writeFileSync(there, content);
  }

  /** Starts a program on it, that goes on; `output()` is the end of what it printed, `stop` asks it to end and waits. */
  start(command, { path = "" } = {}) {
    const own = ["--mount", "--net", "--uts", "--ipc", "--pid", "--cgroup"];
    const enter = 'for file in $(find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs); do echo $$ >$file; done; exec "$@"';
    const args = [`--target=${this.#pid}`, ...own, "--wdns=/", "--", "sh", "-c", enter, "sh", ...command];
    const keep = Object.entries(process.env).filter(([name]) => name.startsWith("KYBERN_"));
    const env = { ...Object.fromEntries(keep), PATH: `${path}${path === "" ? "" : ":"}${PATH}`, HOME: "/root", LANG: "C.UTF-8" };
    const child = spawn("nsenter", args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stderr.on("data", (chunk) => {
      output = (output + chunk).slice(-OUTPUT_MAX);
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    const stop = async (signal = "SIGTERM") => {
      const pid = innermost(child.pid);
      if (child.exitCode === null && child.signalCode === null) process.kill(pid, signal);
      await ended;
    };
    return { child, ended, stop, output: () => output };
  }

  /** Runs a command to its end; gives what it printed. */
  async run(command, { timeoutMs = PATIENCE_MS, ...options } = {}) {
    const { child, ended, stop, output } = this.start(command, options);
    let stdout = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      void stop("SIGKILL");
    }, timeoutMs);
    const code = await ended;
    clearTimeout(late);
    if (code === 0) return stdout;
    throw new Error(`${command.join(" ")} ${isLate ? `took longer than ${timeoutMs} ms` : `ended with ${code}`}: ${output()}`);
  }

  /** Ends all that runs on it and takes it away. */
  async close() {
    for (const child of this.#holders.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once("close", resolve));
      process.kill(innermost(child.pid), "SIGKILL");
      child.stdin.end();
      await ended;
    }
    this.forget?.();
    await this.#removeCgroups();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #removeCgroups() {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const left = cgroupRoots().flatMap((path) => cgroupsBelow(join(path, this.#cgroup)));
      if (left.length === 0) return;
      for (const path of left) {
        try {
          rmdirSync(path);
        } catch (error) {
          // Its processes are ending.
          if (performance.now() > end) throw error;
        }
      }
      await sleep(20);
    }
  }
}

/** Follows only children down to the last. */
function innermost(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  return children.length === 0 ? pid : innermost(children[0]);
}

/** Folders of the machine's cgroup hierarchies. */
function cgroupRoots() {
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "));
  return mounts.filter(([, path, kind]) => path?.startsWith("/sys/fs/cgroup") && /^cgroup2?$/.test(kind)).map(([, path]) => path);
}

/** Cgroups below a folder, deepest first, itself last. */
function cgroupsBelow(path) {
  try {
    const folders = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...folders.flatMap(({ name }) => cgroupsBelow(join(path, name))), path];
  } catch {
    return [];
  }
}
