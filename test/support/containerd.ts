import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { realClock } from "#base/clock.ts";
import { CriChannel } from "#cri/remote/cri-channel.ts";
import { RemoteImages } from "#cri/remote/remote-images.ts";
import { RemoteRuntime } from "#cri/remote/remote-runtime.ts";
import { CGROUP_PARENT } from "#cri/runtime-service.contract.ts";

/** What containers need beside containerd itself. */
const TOOLS = ["runc", "busybox", "ip", "tar"];
/** Where `hack/install-test-tools.sh` puts a newer version than Debian 12 has. */
const NEWER = new URL("../../node_modules/.cache/containerd-1.7/usr/bin", import.meta.url).pathname;

const missing: readonly string[] = TOOLS.filter((program) => !succeeds("sh", "-c", `command -v ${program}`));
const isRoot: boolean = process.getuid?.() === 0;

/** A version of containerd with which containers can be run here. */
export interface ContainerdVersion {
  readonly name: string;
  /** Where its programs are; empty: on the path. */
  readonly bin: string;
}

/** All that can be used; none where something is missing, or this is not root. */
export const containerdVersions: readonly ContainerdVersion[] = ["", NEWER].flatMap((bin) => {
  const version = versionOf(bin);
  return version === undefined || missing.length > 0 || !isRoot ? [] : [{ name: `containerd ${version}`, bin }];
});
/** What a test's name says where there are none. */
export const CONTAINERD_REASON: string = isRoot
  ? `needs containerd, ${TOOLS.join(", ")}, which hack/install-test-tools.sh brings`
  : "needs root";

/** How long it may take to start, or to end. */
const PATIENCE_MS = 20_000;

function succeeds(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function versionOf(bin: string): string | undefined {
  try {
    const text = execFileSync(join(bin, "containerd"), ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return / v?(\d+\.\d+\.\d+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

/** A containerd of its own, with all its files in one folder and a network bridge of its own. */
export class Containerd implements AsyncDisposable {
  readonly dir: string = mkdtempSync(join(tmpdir(), "kybern-cri-"));
  readonly socketPath: string = join(this.dir, "c.sock");
  readonly channel: CriChannel = new CriChannel(this.socketPath, realClock);
  readonly runtime: RemoteRuntime = new RemoteRuntime(this.channel);
  readonly images: RemoteImages = new RemoteImages(this.channel);
  readonly #bridge: string = `kyb${randomBytes(4).toString("hex")}`;
  /** For the cgroups of a test's own pods. */
  readonly cgroupParent: string = `/${this.#bridge}`;
  readonly #cgroupsBefore: ReadonlySet<string> = new Set(containerCgroups(CGROUP_PARENT));
  readonly #bin: string;
  #child: ChildProcess | undefined;
  #output = "";

  private constructor(bin: string) {
    this.#bin = bin;
  }

  /** Starts it; it answers when this resolves. */
  static async start({ bin }: ContainerdVersion, sandboxImage: string): Promise<Containerd> {
    const containerd = new Containerd(bin);
    containerd.#writeConfig(sandboxImage);
    await containerd.launch();
    return containerd;
  }

  /** Starts the process, for the first time or anew. */
  async launch(): Promise<void> {
    const child = spawn(join(this.#bin, "containerd"), ["--config", join(this.dir, "config.toml")], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, PATH: `${this.#bin}:${process.env.PATH}` },
    });
    this.#child = child;
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#output = (this.#output + chunk).slice(-20_000);
    });
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        await this.runtime.version();
        return;
      } catch (error) {
        if (child.exitCode !== null || performance.now() > end) throw new Error(`containerd: ${this.#output}`, { cause: error });
        await setTimeout(50);
      }
    }
  }

  /** Ends the process and leaves its containers running. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  /** What is left of its sandboxes on the machine: mounts, processes and cgroups. */
  remains(): readonly string[] {
    const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
    return [
      ...mounts.filter((line) => line.includes(this.dir)).map((line) => `mount ${line}`),
      ...processes(this.dir).filter((line) => !line.includes("config.toml")),
      ...containerCgroups(CGROUP_PARENT, this.cgroupParent).filter((path) => !this.#cgroupsBefore.has(path)),
    ];
  }

  /** Removes all sandboxes; ends it; fails when something of it is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#removeSandboxes();
      await this.#gone(() => this.remains());
    } finally {
      this.channel.close();
      await this.kill("SIGTERM");
      succeeds("ip", "link", "delete", this.#bridge);
    }
    await this.#gone(() => processes(this.dir));
    for (const path of folders("/sys/fs/cgroup", 1))
      if (path.endsWith(CGROUP_PARENT) || path.endsWith(this.cgroupParent)) removeTree(path);
    rmSync(this.dir, { recursive: true });
  }

  /** Who had them made may still be about to remove something of them, which the runtime lets only one do. */
  async #removeSandboxes(): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        for (const { id } of await this.runtime.listPodSandbox()) {
          await this.runtime.stopPodSandbox(id);
          await this.runtime.removePodSandbox(id);
        }
        return;
      } catch (error) {
        if (performance.now() > end) throw error;
        await setTimeout(100);
      }
    }
  }

  /** Shims end a moment after their containers. */
  async #gone(remains: () => readonly string[]): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (remains().length > 0) {
      if (performance.now() > end) throw new Error(`containerd leaves: ${remains().join("\n")}`);
      await setTimeout(50);
    }
  }

  #writeConfig(sandboxImage: string): void {
    for (const folder of ["cni", "opt"]) mkdirSync(join(this.dir, folder));
    writeFileSync(join(this.dir, "config.toml"), config(this.dir, sandboxImage));
    writeFileSync(join(this.dir, "cni/10-bridge.conflist"), JSON.stringify(network(this.dir, this.#bridge)));
  }
}

function config(dir: string, sandboxImage: string): string {
  return `version = 2
root = "${dir}/root"
state = "${dir}/state"
[grpc]
  address = "${dir}/c.sock"
[ttrpc]
  address = "${dir}/t.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "${dir}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${sandboxImage}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  enable_cdi = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${dir}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = "${dir}/runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.other]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.other.options]
        SystemdCgroup = false
        Root = "${dir}/other"
`;
}

function network(dir: string, bridge: string): object {
  const subnet = freeSubnet();
  const ipam = { type: "host-local", ranges: [[{ subnet }]], dataDir: join(dir, "ips") };
  return { cniVersion: "0.4.0", name: bridge, plugins: [{ type: "bridge", bridge, isGateway: true, hairpinMode: true, ipam }] };
}

/** What others that run beside this one take is another: each worker has its own share, and what routes lead to is taken. */
function freeSubnet(): string {
  const share = Number(process.env.VITEST_POOL_ID ?? 0) % 8;
  const routes = execFileSync("ip", ["route"], { encoding: "utf8" });
  const all = Array.from({ length: 32 }, (_, i) => `10.253.${8 * i + share}.0/24`);
  const free = all.filter((subnet) => !routes.includes(subnet));
  return free[(randomBytes(1)[0] ?? 0) % free.length] ?? "10.253.0.0/24";
}

function processes(dir: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return `process ${pid} ${readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ")}`;
      } catch {
        return "";
      }
    })
    .filter((line) => line.includes(dir));
}

/** Cgroups of containers below one of these parents: others are those of other tests, or of the machine. */
function containerCgroups(...parents: readonly string[]): string[] {
  const isOurs = (path: string): boolean => parents.some((parent) => path.includes(`${parent}/`));
  return folders("/sys/fs/cgroup", 6).filter((path) => /\/[0-9a-f]{64}$/.test(path) && isOurs(path));
}

/** Cgroups are empty folders, however full they look. */
function removeTree(path: string): void {
  for (const { name } of readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory()))
    removeTree(`${path}/${name}`);
  rmdirSync(path);
}

function folders(path: string, depth: number): string[] {
  try {
    const inside = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return inside.flatMap(({ name }) => [`${path}/${name}`, ...(depth === 0 ? [] : folders(`${path}/${name}`, depth - 1))]);
  } catch {
    return [];
  }
}
