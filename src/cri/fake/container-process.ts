import type { Clock, Timer } from "#base/clock.ts";
import type { ContainerConfig } from "../container.ts";
import type { ProcessStreams } from "../streaming/streaming-runtime.ts";
import type { Allowance } from "./allowance.ts";
import { LOG_TEXT_ANNOTATION } from "./behaviour.ts";
import { BrokenPipeError, BytePipe, type Input, inputFrom, NO_INPUT, type Output, outputTo } from "./byte-pipe.ts";
import type { ContainerInside } from "./container-inside.ts";
import type { ContainerShell } from "./container-shell.ts";
import type { ContainerIdentity, SimulationHooks } from "./hooks.ts";
import { MemoryLog } from "./memory-log.ts";
import { terminationMessage } from "./termination-message.ts";
import { STEPS_MAX, StepsExceededError } from "./work.ts";

/** What a {@link ContainerProcess} knows of its surroundings. */
export interface ContainerSurroundings {
  readonly clock: Clock;
  readonly config: ContainerConfig;
  readonly annotations: Readonly<Record<string, string>>;
  readonly identity: ContainerIdentity;
  readonly hostname: string;
  readonly ip: string;
  readonly hooks: SimulationHooks;
  /** What it may hold. */
  readonly allowance: Allowance;
  readonly inside: ContainerInside | undefined;
  /** The container's own process ended by what it was told over its input. */
  readonly onExit: (exitCode: number) => void;
}

/** Programs that say nothing: there is no need to run them. */
const SILENT: readonly string[] = ["sleep", "true", "false"];
/** How often files from the API are brought up to date, in milliseconds. */
const REFRESH_MS = 2000;
/** Exit codes of what was killed, and of what could not be started. */
const EXIT_KILLED = 137;
const EXIT_BROKEN_PIPE = 141;
const ENDED = new Error("the container has ended");
const EXEC_FAILED = "OCI runtime exec failed: exec failed: unable to start container process:";
/** Output that is kept for who attaches to a container that was started to be attached to, in bytes. */
const UNSEEN_BYTES_MAX = 64 * 1024;
const UNSEEN_OVERHEAD_BYTES = 64;

/** What goes on inside one simulated container: its own process, commands that are run in it, its log and its files. */
export class ContainerProcess {
  readonly log: MemoryLog;
  readonly #around: ContainerSurroundings;
  /** Made when it is asked for: nothing waits for the end of most containers. */
  #ending: AbortController | undefined;
  #hasEnded = false;
  /** Hardly any container has ever any. */
  #attached: Set<ProcessStreams> | undefined;
  readonly #stdin = new BytePipe();
  #shell: Promise<ContainerShell> | undefined;
  #loaded: ContainerShell | undefined;
  #refreshing: Timer | undefined;
  #own: Promise<void> = Promise.resolve();
  #wasAttached = false;
  #speaks = false;
  #unseen: { readonly stream: "stdout" | "stderr"; readonly data: Buffer }[] = [];
  #unseenLength = 0;

  constructor(around: ContainerSurroundings) {
    this.#around = around;
    this.log = new MemoryLog(around.clock, around.allowance);
  }

  /**
   * Lets the container's own command say what it says. Resolves when it has begun, with whether the container ends when
   * the command does: only that of a container which can be talked to decides when it has heard enough.
   */
  async start(): Promise<boolean> {
    const { config, annotations } = this.#around;
    const text = annotations[`${LOG_TEXT_ANNOTATION}.${config.metadata.name}`] ?? annotations[LOG_TEXT_ANNOTATION];
    if (text !== undefined) this.#say("stdout", Buffer.from(text.endsWith("\n") ? text : `${text}\n`));
    const [name = "", ...args] = [...config.command, ...config.args];
    if (name === "" || SILENT.includes(name.split("/").at(-1) ?? "")) return false;
    const shell = await this.#loadShell();
    const program = shell.program(name);
    if (program === undefined) return false;
    await shell.prepare([name, ...args, ...(config.envs ?? []).map(({ value }) => value)].join("\n")).catch(() => undefined);
    if (this.#hasEnded) return false;
    this.#keepFresh(shell);
    this.#speaks = true;
    const canHear = config.stdin === true;
    const tty = config.tty === true;
    const stdout: Output = { write: async (data) => this.#say("stdout", Buffer.from(data as Uint8Array)) };
    const stderr: Output = tty ? stdout : { write: async (data) => this.#say("stderr", Buffer.from(data as Uint8Array)) };
    const stdin: Input = canHear ? this.#stdin : NO_INPUT;
    const process = shell.process({ stdin, stdout, stderr }, tty, this.#ended, Number.POSITIVE_INFINITY);
    this.#own = program(args, process).then(
      (code) => {
        if (canHear) this.#around.onExit(code);
      },
      () => undefined,
    );
    return canHear;
  }

  /** Aborted when the container has ended. */
  get #ended(): AbortSignal {
    this.#ending ??= new AbortController();
    if (this.#hasEnded) this.#ending.abort(ENDED);
    return this.#ending.signal;
  }

  /** The container's own command is simulated. */
  get speaks(): boolean {
    return this.#speaks;
  }

  /** Tells when the container's own command has ended. */
  onSilent(tell: () => void): void {
    void this.#own.then(tell);
  }

  /** The container has ended: so has everything in it. */
  end(): void {
    this.#hasEnded = true;
    this.#ending?.abort(ENDED);
    this.#refreshing?.clear();
    this.#stdin.end();
    this.log.finish();
  }

  /** Makes what commands run in, if it is not there yet. */
  async load(): Promise<void> {
    await (await this.#loadShell()).prepare();
  }

  /** Runs a command. Rejects when there is no such program. */
  async exec(command: readonly string[], streams: ProcessStreams): Promise<number> {
    const { hooks, identity } = this.#around;
    const signal = AbortSignal.any([this.#ended, streams.signal]);
    const hooked = await hooks.exec?.(command, { ...streams, ...identity, signal });
    if (hooked !== undefined) return hooked;
    const [name = "", ...args] = command;
    const shell = await this.#loadShell();
    await shell.prepare();
    this.#keepFresh(shell);
    const program = shell.program(name);
    if (program === undefined) {
      const reason = `exec: "${name}": executable file not found in $PATH`;
      throw new Error(`${EXEC_FAILED} ${reason}: unknown`);
    }
    const stdout = outputTo(streams.stdout);
    const io = { stdin: inputFrom(streams.stdin), stdout, stderr: streams.tty ? stdout : outputTo(streams.stderr) };
    const process = shell.process(io, streams.tty, signal, STEPS_MAX);
    if (!this.#around.allowance.enter())
      throw new Error(`${EXEC_FAILED} fork/exec ${name}: resource temporarily unavailable: unknown`);
    const killed = new Promise<number>((resolve) => signal.addEventListener("abort", () => resolve(EXIT_KILLED), { once: true }));
    const ran = program(args, process)
      .catch((error) => {
        if (signal.aborted || error instanceof StepsExceededError) return EXIT_KILLED;
        if (error instanceof BrokenPipeError) return EXIT_BROKEN_PIPE;
        throw error;
      })
      .finally(() => this.#around.allowance.leave());
    return Promise.race([ran, killed]);
  }

  /** Passes on what the container's own process says, and to it what comes in, until one of them ends. */
  async attach(streams: ProcessStreams): Promise<void> {
    const { config } = this.#around;
    this.#attached ??= new Set();
    this.#attached.add(streams);
    this.#wasAttached = true;
    for (const { stream, data } of this.#unseen.splice(0)) this.#pass(streams, stream, data);
    const { stdin } = streams;
    if (stdin !== undefined && config.stdin === true) void this.#feed(inputFrom(stdin));
    const signal = AbortSignal.any([this.#ended, streams.signal]);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    this.#attached?.delete(streams);
  }

  async #feed(input: Input): Promise<void> {
    const { config } = this.#around;
    for (let chunk = await input.read(); chunk !== undefined; chunk = await input.read()) await this.#stdin.write(chunk);
    if (config.stdinOnce === true) this.#stdin.end();
  }

  #say(stream: "stdout" | "stderr", data: Buffer): void {
    this.log.append(stream, data);
    for (const streams of this.#attached ?? []) this.#pass(streams, stream, data);
    if (this.#wasAttached || this.#around.config.stdin !== true || this.#unseenLength > UNSEEN_BYTES_MAX) return;
    this.#unseen.push({ stream, data });
    this.#unseenLength += data.length + UNSEEN_OVERHEAD_BYTES;
  }

  /** Who is too slow misses something, and holds nobody back. */
  #pass(streams: ProcessStreams, stream: "stdout" | "stderr", data: Buffer): void {
    const to = stream === "stderr" && !streams.tty ? streams.stderr : streams.stdout;
    if (to !== undefined && !to.writableNeedDrain && !to.writableEnded && !to.destroyed) to.write(data);
  }

  /** Is made when it is first needed: its programs take time to load. */
  #loadShell(): Promise<ContainerShell> {
    this.#shell ??= import("./container-shell.ts").then((module) => {
      this.#loaded = new module.ContainerShell(this.#around);
      return this.#loaded;
    });
    return this.#shell;
  }

  /** What came from the API changes in a container that was looked into. */
  #keepFresh(shell: ContainerShell): void {
    if (this.#around.inside === undefined || this.#refreshing !== undefined || this.#hasEnded) return;
    const refresh = (): void => void shell.prepare("").catch(() => undefined);
    this.#refreshing = this.#around.clock.setInterval(refresh, REFRESH_MS, { unref: true });
  }

  /** The last word of a container that ended, if it left one. */
  terminationMessage(exitCode: number): string {
    return terminationMessage(this.#around.config.annotations, exitCode, (path) => this.#loaded?.read(path), this.log);
  }
}
