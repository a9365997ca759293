import { execFile, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What one run of kubectl printed. `code` is 0 for success. */
export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longest time that one kubectl command may take, in milliseconds. */
const COMMAND_TIMEOUT_MS = 120_000;

/** Whether a real kubectl is on the machine; tests that need it are skipped, with that reason in their name, where it is not. */
export const hasKubectl: boolean = spawnSync("kubectl", ["version", "--client"], { stdio: "ignore" }).status === 0;

/** Where hack/install-test-tools.sh lays Debian's kubectl, whose place is taken where another one is installed. */
const debianKubectl = fileURLToPath(new URL("../../node_modules/.cache/debian-kubectl/usr/bin/kubectl", import.meta.url));

/** The kubectl of another version: Debian's, or one beside that on the PATH, such as `kubectl.1.30`; undefined where there is none. */
export function kubectlOfVersion(version: string): string | undefined {
  if (version === "1.20") return existsSync(debianKubectl) ? debianKubectl : undefined;
  const found = (process.env.PATH ?? "").split(delimiter).find((folder) => existsSync(join(folder, "kubectl")));
  if (found === undefined) return undefined;
  const path = join(dirname(realpathSync(join(found, "kubectl"))), `kubectl.${version}`);
  return existsSync(path) ? path : undefined;
}

/** Runs the real kubectl against one cluster, with a home and a discovery cache of its own. */
export class Kubectl implements Disposable {
  readonly #dir: string;
  readonly #program: string;
  readonly kubeconfigPath: string;

  /** `program` is another kubectl than the one on the PATH. */
  constructor(kubeconfig: string, program = "kubectl") {
    this.#program = program;
    this.#dir = mkdtempSync(join(tmpdir(), "kybern-kubectl-"));
    this.kubeconfigPath = join(this.#dir, "kubeconfig");
    writeFileSync(this.kubeconfigPath, kubeconfig, { mode: 0o600 });
  }

  get env(): NodeJS.ProcessEnv {
    return { ...process.env, HOME: this.#dir, KUBECONFIG: this.kubeconfigPath, KUBE_EDITOR: "cat" };
  }

  /** Runs and returns whatever comes; never throws for a failing command. */
  run(args: readonly string[], input?: string, env: NodeJS.ProcessEnv = {}): Promise<KubectlResult> {
    return new Promise((resolve) => {
      const child = execFile(
        this.#program,
        [...args],
        { env: { ...this.env, ...env }, timeout: COMMAND_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) => {
          const code = error ? (typeof error.code === "number" ? error.code : 1) : 0;
          resolve({ code, stdout, stderr });
        },
      );
      child.stdin?.end(input ?? "");
    });
  }

  /** Runs a command line given as words and returns its standard output; throws with its standard error when it fails. */
  async ok(args: readonly string[], input?: string, env?: NodeJS.ProcessEnv): Promise<string> {
    const result = await this.run(args, input, env);
    if (result.code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  }

  /** `kubectl get ... -o json`, parsed. */
  async json(args: readonly string[]): Promise<Record<string, never> & { items: never[] }> {
    return JSON.parse(await this.ok([...args, "-o", "json"]));
  }

  /** Starts a command that goes on, such as `get -w`; its lines are read with `lines`. Ends when disposed. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningKubectl {
    return new RunningKubectl(
      spawn(this.#program, [...args], { env: { ...this.env, ...env }, stdio: ["ignore", "pipe", "pipe"] }),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** A kubectl command that is still running. */
export class RunningKubectl implements Disposable {
  readonly #child: ReturnType<typeof spawn>;
  #output = "";
  /** All that it printed, once it has ended by itself. */
  readonly ended: Promise<string>;
  constructor(child: ReturnType<typeof spawn>) {
    this.#child = child;
    this.ended = new Promise((resolve) => child.once("close", () => resolve(this.#output)));
    child.stdout?.on("data", (chunk) => {
      this.#output += chunk;
    });
  }
  get output(): string {
    return this.#output;
  }
  [Symbol.dispose](): void {
    this.#child.kill();
  }
}

/** Polls until `condition` gives something true, at most `timeoutMs`; throws what was last seen. */
export async function eventually<T>(condition: () => T | Promise<T>, timeoutMs = 30_000, what = "condition"): Promise<T> {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`${what} did not hold within ${timeoutMs} ms; last: ${String(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
