import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { freePorts } from "./ports.ts";

/** A version of etcd that is there. */
export interface EtcdVersion {
  /** `3.4.23` */
  readonly version: string;
  /** Where its programs are; empty: on the path. */
  readonly bin: string;
}

/** Where `hack/install-test-tools.sh` puts versions that the system does not have: `etcd-3.5`. */
const BESIDE = new URL("../../node_modules/.cache/", import.meta.url).pathname;

/** All versions of etcd that can be used: the system's, and those beside it. */
export const etcdVersions: readonly EtcdVersion[] = ["", ...foldersBeside()].flatMap((bin) => {
  const version = versionOf(bin);
  return version === undefined ? [] : [{ version, bin }];
});
/** The one that tests use who do not care: the system's, or what `KYBERN_TEST_ETCD` says: `3.5`. */
export const usualEtcd: EtcdVersion | undefined = chosen(process.env.KYBERN_TEST_ETCD);
/** Whether etcd is installed; `hack/install-test-tools.sh` brings it. */
export const hasEtcd: boolean = usualEtcd !== undefined;
/** What a test's name says where it is not. */
export const ETCD_REASON = "needs etcd, which hack/install-test-tools.sh brings";

function foldersBeside(): string[] {
  const names = existsSync(BESIDE) ? readdirSync(BESIDE).filter((name) => /^etcd-\d+\.\d+$/.test(name)) : [];
  return names.sort().map((name) => join(BESIDE, name, "usr/bin"));
}

function versionOf(bin: string): string | undefined {
  try {
    const text = execFileSync(join(bin, "etcd"), ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return /^etcd Version: (\S+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

function chosen(wanted: string | undefined): EtcdVersion | undefined {
  if (wanted === undefined) return etcdVersions[0];
  const found = etcdVersions.find(({ version }) => `${version}.`.startsWith(`${wanted}.`));
  if (found === undefined) throw new Error(`KYBERN_TEST_ETCD: there is no etcd ${wanted}`);
  return found;
}

/** One process of etcd. */
export interface EtcdMember {
  readonly url: string;
  readonly args: readonly string[];
  /** Where its programs are; empty: on the path. */
  readonly bin: string;
  child: ChildProcess;
  output: string;
}

/** What {@link Etcd.start} takes. */
export interface EtcdOptions {
  readonly members?: number;
  readonly args?: readonly string[];
  readonly scheme?: "http" | "https";
  /** One of {@link etcdVersions}. */
  readonly version?: EtcdVersion;
}

/** A cluster of real etcd on free ports, with its data in a folder of its own. */
export class Etcd implements AsyncDisposable {
  readonly members: readonly EtcdMember[];
  readonly #dir: string;

  private constructor(dir: string, members: readonly EtcdMember[]) {
    this.#dir = dir;
    this.members = members;
  }

  get urls(): readonly string[] {
    return this.members.map(({ url }) => url);
  }

  /** Starts it; its members listen when this resolves. `args` go to each member, after those that make it a cluster. */
  static async start(options: EtcdOptions = {}): Promise<Etcd> {
    for (let attempt = 1; ; attempt++) {
      const etcd = await Etcd.#spawn(options);
      const listening = await Promise.all(etcd.members.map(isListening));
      if (listening.every(Boolean)) return etcd;
      await etcd[Symbol.asyncDispose]();
      // Somebody else may have got one of its ports.
      if (attempt === 3) throw new Error(`etcd does not start: ${etcd.members.map(({ output }) => output).join("\n")}`);
    }
  }

  static async #spawn(options: EtcdOptions): Promise<Etcd> {
    const { members: count = 1, args = [], scheme = "http", version = usualEtcd } = options;
    const bin = version?.bin ?? "";
    const dir = mkdtempSync(join(tmpdir(), "kybern-etcd-"));
    const ports = await freePorts(2 * count);
    const peer = (i: number): string => `http://127.0.0.1:${ports[count + i]}`;
    const cluster = Array.from({ length: count }, (_, i) => `m${i}=${peer(i)}`).join(",");
    const members = Array.from({ length: count }, (_, i): EtcdMember => {
      const url = `${scheme}://127.0.0.1:${ports[i]}`;
      const own = [
        ...["--name", `m${i}`, "--data-dir", join(dir, `m${i}`), "--initial-cluster", cluster],
        ...["--listen-client-urls", url, "--advertise-client-urls", url],
        ...["--listen-peer-urls", peer(i), "--initial-advertise-peer-urls", peer(i)],
        ...["--heartbeat-interval", "30", "--election-timeout", "300", "--log-level", "warn"],
        ...args,
      ];
      const member: EtcdMember = { url, args: own, bin, child: spawnMember(bin, own), output: "" };
      keepOutput(member);
      return member;
    });
    return new Etcd(dir, members);
  }

  /** Starts a member again that has ended, on its data. */
  async restart(member: EtcdMember): Promise<void> {
    if (member.child.exitCode === null && member.child.signalCode === null)
      await new Promise((resolve) => member.child.once("close", resolve));
    member.child = spawnMember(member.bin, member.args);
    keepOutput(member);
    if (!(await isListening(member))) throw new Error(`etcd does not start again: ${member.output}`);
  }

  /** What `etcdctl` prints. */
  ctl(...args: string[]): string {
    const env = { ...process.env, ETCDCTL_API: "3" };
    return execFileSync(join(this.members[0]?.bin ?? "", "etcdctl"), ["--endpoints", this.urls.join(","), ...args], {
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.members.map(({ child }) => {
        if (child.exitCode !== null || child.signalCode !== null) return undefined;
        const exited = new Promise((resolve) => child.once("close", resolve));
        child.kill("SIGKILL");
        return exited;
      }),
    );
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function spawnMember(bin: string, args: readonly string[]): ChildProcess {
  const env = { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch };
  return spawn(join(bin, "etcd"), [...args], { stdio: ["ignore", "pipe", "pipe"], env });
}

function keepOutput(member: EtcdMember): void {
  const keep = (chunk: Buffer): void => {
    member.output = (member.output + chunk).slice(-4000);
  };
  member.child.stdout?.on("data", keep);
  member.child.stderr?.on("data", keep);
}

/** Waits until the member takes connections; false when it has ended instead. */
async function isListening({ url, child }: EtcdMember): Promise<boolean> {
  const port = Number(new URL(url).port);
  while (child.exitCode === null && child.signalCode === null) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return true;
    await setTimeout(20);
  }
  return false;
}
