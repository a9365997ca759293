import type { Clock } from "#base/clock.ts";
import type { ContainerConfig } from "../container.ts";
import type { Allowance } from "./allowance.ts";
import { baseFiles } from "./base-files.ts";
import { findProgram } from "./commands/programs.ts";
import type { ContainerInside } from "./container-inside.ts";
import { type MemoryFiles, parentOf } from "./memory-files.ts";
import { metered, type Process, type Program } from "./process.ts";
import { terminalInput, terminalOutput } from "./terminal.ts";
import { TERMINATION_PATH_ANNOTATION } from "./termination-message.ts";
import { Work } from "./work.ts";

/** What a {@link ContainerShell} knows of its container. */
export interface ShellSurroundings {
  readonly clock: Clock;
  readonly config: ContainerConfig;
  readonly hostname: string;
  readonly ip: string;
  readonly allowance: Allowance;
  /** What only this container finds. */
  readonly inside: ContainerInside | undefined;
}

/** The files of one simulated container, and the programs that can be run in it. Few containers ever need one. */
export class ContainerShell {
  readonly #around: ShellSurroundings;
  readonly #files: MemoryFiles;
  #variables: ReadonlyMap<string, string> = new Map();
  #isFurnished = false;

  constructor(around: ShellSurroundings) {
    const { clock, hostname, ip, config } = around;
    this.#around = around;
    this.#files = baseFiles({ hostname, ip, nowMs: clock.now(), allowance: around.allowance });
    const { workingDir = "" } = config;
    if (workingDir !== "") this.#files.makeDirectory(workingDir, clock.now(), true);
    const messagePath = around.config.annotations[TERMINATION_PATH_ANNOTATION] ?? "";
    if (messagePath !== "") {
      this.#files.makeDirectory(parentOf(messagePath), clock.now(), true);
      this.#files.write(messagePath, Buffer.alloc(0), clock.now());
    }
  }

  /** Puts in place what only this container finds, and what of it has changed. `words`: all that will be run, if that is known. */
  async prepare(words?: string): Promise<void> {
    const { inside } = this.#around;
    if (inside === undefined) return;
    if (!this.#isFurnished) this.#variables = await inside.variables();
    this.#isFurnished = true;
    await inside.furnish(this.#files, words);
  }

  /** The bytes of a file; undefined when it is none. */
  read(path: string): Buffer | undefined {
    return this.#files.find(path)?.type === "file" ? this.#files.read(path) : undefined;
  }

  /** A program by its name. */
  program(name: string): Program | undefined {
    return findProgram(name);
  }

  /** A new process, with the container's variables and folder; with a terminal when `tty` is set. Ends after `stepsMax` steps. */
  process(io: Pick<Process, "stdin" | "stdout" | "stderr">, tty: boolean, signal: AbortSignal, stepsMax: number): Process {
    const { clock, config, hostname, allowance } = this.#around;
    const work = new Work({ clock, signal, allowance, stepsMax });
    const env = new Map([
      ["PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      ["HOSTNAME", hostname],
      ...(tty ? ([["TERM", "xterm"]] as const) : []),
      ...this.#variables,
      ...(config.envs ?? []).map(({ key, value }) => [key, value] as const),
      ["HOME", "/root"],
    ]);
    const terminal = {
      stdin: tty ? terminalInput(io.stdin, io.stdout) : io.stdin,
      stdout: metered(tty ? terminalOutput(io.stdout) : io.stdout, work),
      stderr: metered(tty ? terminalOutput(io.stderr) : io.stderr, work),
    };
    const cwd = config.workingDir === undefined || config.workingDir === "" ? "/" : config.workingDir;
    const place = { files: this.#files, env, location: { cwd }, hostname, clock, tty };
    return { ...terminal, ...place, signal, allowance, work, depth: 0 };
  }
}
