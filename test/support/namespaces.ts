import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

/** How long a namespace may take to be there, or gone. */
const PATIENCE_MS = 20_000;

/**
 * A process that holds namespaces: it lives as long as its standard input is open, so that it ends with the test, however that ends.
 */
export class NamespaceHolder implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** The process in the namespaces, not that which made them. */
  readonly pid: number;

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
  }

  /** Runs a program that prints `ready`, by way of one that makes namespaces and may start it as its child. */
  static async start(command: string, args: readonly string[]): Promise<NamespaceHolder> {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    const ready = new Promise<void>((resolve, reject) => {
      const failed = (): void => reject(new Error(`${command} ${args.join(" ")}: ${output}`));
      child.stderr?.on("data", (chunk) => {
        output += chunk;
      });
      child.stdout?.on("data", (chunk) => String(chunk).includes("ready") && resolve());
      child.once("error", reject);
      child.once("close", failed);
    });
    // A pipe whose reader is gone is no error of the test's.
    child.stdin?.on("error", () => undefined);
    try {
      await Promise.race([
        ready,
        setTimeout(PATIENCE_MS, undefined, { ref: false }).then(() => {
          throw new Error(`${command}: not ready within ${PATIENCE_MS} ms: ${output}`);
        }),
      ]);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
    return new NamespaceHolder(child, innermost(child.pid ?? 0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    process.kill(this.pid, "SIGKILL");
    this.#child.stdin?.end();
    await ended;
  }
}

/** Follows only children down to the last. */
export function innermost(pid: number): number {
  const [child] = childrenOf(pid);
  return child === undefined ? pid : innermost(child);
}

/** Processes that `pid` started and that live. */
export function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Folders of the machine's cgroup hierarchies: one, or one for each controller and those of systemd. */
export function cgroupRoots(): readonly string[] {
  const top = "/sys/fs/cgroup";
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  return mounts
    .map((line) => line.split(" "))
    .filter(([, path, kind]) => path?.startsWith(top) && (kind === "cgroup" || kind === "cgroup2"))
    .map(([, path]) => path ?? top);
}

/** Cgroups below a folder, deepest first, itself last. */
export function cgroupsBelow(path: string): readonly string[] {
  try {
    const folders = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...folders.flatMap(({ name }) => cgroupsBelow(`${path}/${name}`)), path];
  } catch {
    return [];
  }
}

/** Whether namespaces, mounts and cgroups can be made here. */
export function canMakeMachines(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync("unshare", ["--mount", "--net", "--uts", "--pid", "--cgroup", "--fork", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
