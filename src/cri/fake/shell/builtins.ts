import { joinPath } from "../memory-files.ts";
import { complain, type Process } from "../process.ts";
import { Exit, LoopControl } from "./exits.ts";
import { readLine } from "./read-line.ts";
import { assign, type ShellState } from "./variables.ts";

/** Characters that are understood in a step. */
const LENGTH_PER_STEP = 1000;

/** What builtins need of the shell that they belong to. */
export interface BuiltinShell {
  readonly state: ShellState;
  /** Runs a command; throws when scripts are too deep. */
  readonly command: (words: readonly string[], process: Process) => Promise<number>;
  /** Runs a script in the same shell. */
  readonly script: (text: string, process: Process) => Promise<number>;
  /** Once nothing runs behind any more. */
  readonly settled: () => Promise<void>;
}

/** What only the shell itself can do; undefined for all else. */
export async function builtin(
  name: string,
  args: readonly string[],
  process: Process,
  shell: BuiltinShell,
): Promise<number | undefined> {
  const [first] = args;
  switch (name) {
    case ":":
      return 0;
    case "exit":
      throw new Exit(first === undefined ? shell.state.last : Number.parseInt(first, 10) & 255);
    case "break":
    case "continue":
      throw new LoopControl(name === "continue");
    case "cd":
      return changeFolder(first, process);
    case "export":
      for (const arg of args) {
        const [key = "", ...value] = arg.split("=");
        if (arg.includes("=")) assign(process, key, value.join("="));
      }
      return 0;
    case "unset":
      for (const arg of args) process.env.delete(arg);
      return 0;
    case "set":
    case "trap":
    case "umask":
      return 0;
    case "shift":
      await process.work.step(shell.state.arguments.length / LENGTH_PER_STEP);
      shell.state.arguments = [shell.state.arguments[0] ?? "sh", ...shell.state.arguments.slice(2)];
      return 0;
    case "wait":
      await shell.settled();
      return 0;
    case "exec":
      throw new Exit(await shell.command(args, deeper(process)));
    case "eval":
      return shell.script(args.join(" "), deeper(process));
    case "read": {
      const line = await readLine(process.stdin);
      assign(process, first === "-r" ? (args[1] ?? "REPLY") : (first ?? "REPLY"), line ?? "");
      return line === undefined ? 1 : 0;
    }
    default:
      return undefined;
  }
}

async function changeFolder(to: string | undefined, process: Process): Promise<number> {
  const { files, location, env } = process;
  const path = joinPath(location.cwd, to ?? env.get("HOME") ?? "/");
  if (files.find(path)?.type !== "directory") return complain(process, `sh: cd: can't cd to ${to}: No such file or directory`);
  location.cwd = files.resolve(path, true);
  env.set("PWD", location.cwd);
  return 0;
}

function deeper(process: Process): Process {
  return { ...process, depth: process.depth + 1 };
}
