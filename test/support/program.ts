import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { storeFlags } from "./store.ts";

/** The built program. */
export const programPath: string = fileURLToPath(new URL("../../dist/cmd/kybern.js", import.meta.url));

/** Whether the program is built; `npm test` builds it first. */
export const isBuilt: boolean = existsSync(programPath);

/** How a {@link Program} is started. */
export interface ProgramOptions {
  readonly uid?: number;
  /** Another name of the program: a link to it. */
  readonly file?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** On its own store, whatever the run is on: the test is about that. */
  readonly embedded?: boolean;
}

/** What a log says of an error that is a mistake in the program; Node gives a code to those that values from outside make. */
const DEFECT =
  /"type":"(?:TypeError|ReferenceError|RangeError)","message":"(?:[^"\\]|\\.)*","stack":"(?:[^"\\]|\\.)*"(?!,"code")/;

/** `kybern` as a process of its own, with what it printed. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly exited: Promise<number | null>;
  stdout = "";
  stderr = "";

  /** In a run on etcd `kybern up` is told to be on it too. */
  constructor(args: readonly string[], { file = programPath, embedded = false, ...options }: ProgramOptions = {}) {
    this.#child = spawn(process.execPath, [file, ...args, ...(embedded ? [] : storeFlags(args)), ...nodeFlags(args)], {
      stdio: ["ignore", "pipe", "pipe"],
      ...options,
    });
    this.#child.stdout?.on("data", (chunk) => {
      this.stdout += chunk;
    });
    this.#child.stderr?.on("data", (chunk) => {
      this.stderr += chunk;
    });
    this.exited = new Promise((resolve) => this.#child.once("close", resolve));
  }

  /** Its number among the machine's processes. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Rejects where it went on in spite of a mistake, and said so in its log. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill("SIGKILL");
    await this.exited;
    const [defect] = DEFECT.exec(this.stderr) ?? [];
    if (defect !== undefined) throw new Error(`the program met a mistake of its own: ${defect}`);
  }
}

/** What a machine has installed makes no difference to tests of `kybern up`, unless they say so. */
function nodeFlags(args: readonly string[]): readonly string[] {
  const own = ["--node", "--from-etcd-snapshot", "--help"];
  return args[0] !== "up" || args.some((arg) => own.some((flag) => arg.startsWith(flag))) ? [] : ["--node-runtime=simulated"];
}
