import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import type { Writable } from "node:stream";

/**
 * Runs a command in a terminal that it makes, since Node makes none: what the terminal shows goes out, what comes in is typed, and
 * lines on descriptor 3 are new sizes. Ends with the command, and as it.
 */
const DRIVER = `
import fcntl, os, pty, select, struct, sys, termios
def size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
rows, columns, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.close(3)
    size(0, int(rows), int(columns))
    os.execvp(command[0], command)
sources = [0, 3, terminal]
while True:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:
            data = b""
        if source == terminal:
            if not data:
                status = os.waitpid(pid, 0)[1]
                sys.exit(os.waitstatus_to_exitcode(status) & 255)
            os.write(1, data)
        elif not data:
            sources.remove(source)
        elif source == 0:
            os.write(terminal, data)
        else:
            for line in data.decode().split("\\n")[:-1]:
                size(terminal, *map(int, line.split()))
`;

/** Whether terminals can be made: it takes Python 3.9. */
export const hasTerminals: boolean =
  spawnSync("python3", ["-c", "import pty, os; os.waitstatus_to_exitcode"], { stdio: "ignore" }).status === 0;

/** What a {@link PseudoTerminal} is at first. */
export interface TerminalOptions {
  readonly rows: number;
  readonly columns: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** A command in a terminal of its own. */
export class PseudoTerminal implements AsyncDisposable {
  /** All that the terminal has shown. */
  shown = "";
  /** The command's exit code; null when it was killed from here. */
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(command: readonly string[], { rows, columns, env }: TerminalOptions) {
    const child = spawn("python3", ["-c", DRIVER, String(rows), String(columns), ...command], {
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "inherit", "pipe"],
    });
    this.#child = child;
    child.stdout?.on("data", (chunk) => {
      this.shown += chunk;
    });
    for (const end of [child.stdin, this.#sizes]) end?.on("error", () => undefined);
    this.exited = new Promise((resolve) => child.once("close", resolve));
  }

  get #sizes(): Writable {
    return this.#child.stdio[3] as Writable;
  }

  /** Types. */
  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Gives the terminal another size, of which the command is told by a signal. */
  resize(rows: number, columns: number): void {
    this.#sizes.write(`${rows} ${columns}\n`);
  }

  /** Takes the terminal away, as when its window is closed: the command gets SIGHUP. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }
}
