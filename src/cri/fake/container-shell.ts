import type { Clock } from "#base/clock.ts";
import type { ContainerConfig } from "../runtime-service.ts";
import { baseFiles } from "./base-files.ts";
import { programsAt } from "./commands/programs.ts";
import type { MemoryFiles } from "./memory-files.ts";
import type { Process, Program } from "./process.ts";
import { terminalInput, terminalOutput } from "./terminal.ts";

/** What a {@link ContainerShell} knows of its container. */
export interface ShellSurroundings {
  readonly clock: Clock;
  readonly config: ContainerConfig;
  readonly hostname: string;
  readonly ip: string;
}

/** The files of one simulated container, and the programs that can be run in it. Few containers ever need one. */
export class ContainerShell {
  readonly #around: ShellSurroundings;
  readonly #files: MemoryFiles;

  constructor(around: ShellSurroundings) {
    const { clock, hostname, ip, config } = around;
    this.#around = around;
    this.#files = baseFiles({ hostname, ip, nowMs: clock.now() });
    const { workingDir = "" } = config;
    if (workingDir !== "") this.#files.makeDirectory(workingDir, clock.now(), true);
  }

  /** A program by its name. */
  program(name: string): Program | undefined {
    return programsAt(0)(name);
  }

  /** A new process, with the container's variables and folder; with a terminal when `tty` is set. */
  process(io: Pick<Process, "stdin" | "stdout" | "stderr">, tty: boolean, signal: AbortSignal): Process {
    const { clock, config, hostname } = this.#around;
    const env = new Map([
      ["PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      ["HOSTNAME", hostname],
      ...(tty ? ([["TERM", "xterm"]] as const) : []),
      ...(config.envs ?? []).map(({ key, value }) => [key, value] as const),
      ["HOME", "/root"],
    ]);
    const terminal = {
      stdin: tty ? terminalInput(io.stdin, io.stdout) : io.stdin,
      stdout: tty ? terminalOutput(io.stdout) : io.stdout,
      stderr: tty ? terminalOutput(io.stderr) : io.stderr,
    };
    const cwd = config.workingDir === undefined || config.workingDir === "" ? "/" : config.workingDir;
    return { ...terminal, files: this.#files, env, location: { cwd }, hostname, clock, tty, signal };
  }
}
