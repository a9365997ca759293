import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import type { Host } from "./network.ts";

/** What a process printed last is kept in memory, too: characters. */
const TAIL_MAX = 200_000;
/** As systemd's `RestartSec`, but in less time. */
const RESTART_MS = 500;

/** How a program is started on a machine. */
export interface ProcessOptions {
  readonly host: Host;
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Where everything is kept that it prints. */
  readonly log: string;
  /** It is started again when it ends by itself, as a service manager does. */
  readonly restart?: boolean;
}

/** A program on a machine, that can be killed, frozen and started again. */
export class MachineProcess implements AsyncDisposable {
  readonly host: Host;
  readonly name: string;
  /** How often it was started. */
  starts = 0;
  /** What it printed since its last start, the end of it. */
  output = "";
  #options: ProcessOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);
  #frozen = false;
  /** It is meant to run. */
  #wanted = false;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.host = options.host;
    this.name = options.name;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.name} does not run`);
    return pid;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** It runs, or is about to be started again. */
  get wanted(): boolean {
    return this.#wanted;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Resolves with its exit code, null after a signal. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  /** Starts it, with further arguments from now on where they are given. */
  start(args?: readonly string[]): void {
    if (this.#child !== undefined) throw new Error(`${this.name} runs`);
    if (args !== undefined) this.#options = { ...this.#options, args };
    const { host, command, log, env, restart = false } = this.#options;
    this.#wanted = true;
    this.starts++;
    this.output = "";
    // Each becomes the next and in the end the program itself, so that this process's child is the program. Its machine has a name of its own.
    const named = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', host.name];
    const child = spawn("nsenter", [`--net=${host.namespace}`, ...named, command, ...this.#options.args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    const keep = (chunk: Buffer): void => {
      this.output = (this.output + chunk).slice(-TAIL_MAX);
      appendFileSync(log, chunk);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    this.#child = child;
    this.#frozen = false;
    this.#ended = new Promise((resolve) => {
      child.once("error", (error) => keep(Buffer.from(`${error}\n`)));
      child.once("close", (code) => {
        this.#child = undefined;
        resolve(code);
        if (this.#wanted && restart) setTimeout(() => this.#startAgain(), RESTART_MS);
      });
    });
  }

  freeze(): void {
    this.#child?.kill("SIGSTOP");
    this.#frozen = true;
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
    this.#frozen = false;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#wanted = false;
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  /** Asks it to end. Resolves with its exit code. */
  async stop(): Promise<number | null> {
    this.#wanted = false;
    this.#child?.kill("SIGTERM");
    return this.#ended;
  }

  #startAgain(): void {
    if (this.#wanted && this.#child === undefined) this.start();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
