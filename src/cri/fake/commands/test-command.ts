import { ownValue } from "#base/own-value.ts";
import { joinPath } from "../memory-files.ts";
import type { Process, Program } from "../process.ts";

const EXIT_USAGE = 2;

const NUMBERS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "-eq": (a, b) => a === b,
  "-ne": (a, b) => a !== b,
  "-lt": (a, b) => a < b,
  "-le": (a, b) => a <= b,
  "-gt": (a, b) => a > b,
  "-ge": (a, b) => a >= b,
};

function holds(all: readonly string[], process: Process): boolean | undefined {
  const first = all.findIndex((arg, i) => arg !== "!" || i === all.length - 1);
  const found = question(all.slice(Math.max(0, first)), process);
  return found === undefined ? undefined : found !== (first % 2 === 1);
}

function question(args: readonly string[], process: Process): boolean | undefined {
  const [first = "", second = "", third = ""] = args;
  if (args.length <= 1) return first !== "";
  if (args.length === 2) return unary(first, second, process);
  if (second === "=" || second === "==") return first === third;
  if (second === "!=") return first !== third;
  return ownValue(NUMBERS, second)?.(Number(first), Number(third));
}

function unary(operator: string, operand: string, { files, location }: Process): boolean | undefined {
  if (operator === "-n") return operand !== "";
  if (operator === "-z") return operand === "";
  const path = joinPath(location.cwd, operand);
  if (operator === "-L" || operator === "-h") return files.find(path, false)?.type === "link";
  const node = files.find(path);
  if (operator === "-e" || operator === "-r" || operator === "-w") return node !== undefined;
  if (operator === "-f") return node?.type === "file";
  if (operator === "-d") return node?.type === "directory";
  if (operator === "-s") return node !== undefined && node.data.length > 0;
  if (operator === "-x") return node !== undefined && (node.mode & 0o111) !== 0;
  return undefined;
}

/** `test` and `[`: one question of files, texts or numbers. */
export const testCommand: Program = async (args, process) => {
  const found = holds(args.at(-1) === "]" ? args.slice(0, -1) : args, process);
  return found === undefined ? EXIT_USAGE : Number(!found);
};
