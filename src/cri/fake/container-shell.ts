import type { Clock } from "#base/clock.ts";
import type { ContainerConfig } from "../runtime-service.ts";
import type { Allowance } from "./allowance.ts";
import { baseFiles } from "./base-files.ts";
import { findProgram } from "./commands/programs.ts";
import type { MemoryFiles } from "./memory-files.ts";
import { metered, type Process, type Program } from "./process.ts";
import { terminalInput, terminalOutput } from "./terminal.ts";
import { Work } from "./work.ts";

/** What a {@link ContainerShell} knows of its container. */
export interface ShellSurroundings {
  readonly clock: Clock;
  readonly config: ContainerConfig;
  readonly hostname: string;
  readonly ip: string;
  readonly allowance: Allowance;
}

/** The files of one simulated container, and the programs that can be run in it. Few containers ever need one. */
export class ContainerShell {
  readonly #around: ShellSurroundings;
  readonly #files: MemoryFiles;

  constructor(around: ShellSurroundings) {
    const { clock, hostname, ip, config } = around;
    this.#around = around;
    this.#files = baseFiles({ hostname, ip, nowMs: clock.now(), allowance: around.allowance });
    const { workingDir = "" } = config;
    if (workingDir !== "") this.#files.makeDirectory(workingDir, clock.now(), true);
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
