import { ownValue } from "#base/own-value.ts";
import { FileError, joinPath } from "../memory-files.ts";
import { complain, type Process, type Program } from "../process.ts";
import { readLine } from "../shell/read-line.ts";
import { Shell } from "../shell/shell.ts";
import { filePrograms } from "./files.ts";
import { systemPrograms } from "./system.ts";
import { tar } from "./tar.ts";
import { testCommand } from "./test-command.ts";
import { textPrograms } from "./text.ts";

const EXIT_NOT_FOUND = 127;
const PROMPT_END = " # ";

/** `sh -c SCRIPT NAME ARG...`, `sh FILE ARG...`, or line by line what comes in. */
const sh: Program = async (args, around) => {
  const process = { ...around, depth: around.depth + 1 };
  const firstOperand = args.findIndex((arg) => !arg.startsWith("-"));
  const options = args.slice(0, firstOperand < 0 ? args.length : firstOperand);
  const rest = args.slice(options.length);
  if (options.some((option) => /^-[a-z]*c/.test(option))) {
    const [script = "", ...names] = rest;
    return (await new Shell(findProgram, names.length === 0 ? ["sh"] : names).run(script, process)).code;
  }
  const [file] = rest;
  const shell = new Shell(findProgram, file === undefined ? ["sh"] : rest);
  if (file === undefined) return interactive(shell, process);
  const path = joinPath(process.location.cwd, file);
  if (process.files.find(path)?.type !== "file") {
    await complain(process, `sh: can't open '${file}': No such file or directory`);
    return EXIT_NOT_FOUND;
  }
  return (await shell.run(process.files.read(path).toString("utf8"), process)).code;
};

async function interactive(shell: Shell, process: Process): Promise<number> {
  let code = 0;
  for (;;) {
    if (process.tty) await process.stdout.write(`${process.location.cwd}${PROMPT_END}`);
    const line = await readLine(process.stdin);
    if (line === undefined) return code;
    const done = await shell.run(line, process);
    code = done.code;
    if (done.exited) return code;
  }
}

const which: Program = async (args, process) => {
  let code = 0;
  for (const name of args) {
    if (findProgram(name) === undefined) code = 1;
    else await process.stdout.write(`/bin/${name}\n`);
  }
  return code;
};

const PROGRAMS: Readonly<Record<string, Program>> = {
  ...textPrograms,
  ...filePrograms,
  ...systemPrograms,
  tar,
  which,
  test: testCommand,
  "[": testCommand,
};

/** A simulated program by its name, or by its path in one of the usual folders. */
export function findProgram(name: string): Program | undefined {
  const [, own = name] = /^(?:\/usr)?(?:\/local)?\/s?bin\/([^/]+)$/.exec(name) ?? [];
  if (own === "sh" || own === "bash" || own === "ash") return sh;
  const program = ownValue(PROGRAMS, own);
  return program === undefined ? undefined : safely(own, program);
}

/** What a file system refuses is told by the program that asked. */
function safely(name: string, program: Program): Program {
  return async (args, process) => {
    try {
      return await program(args, process);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      return complain(process, `${name}: ${error.message}`);
    }
  };
}
