import { ownValue } from "#base/own-value.ts";
import type { Input } from "../byte-pipe.ts";
import { FileError, joinPath } from "../memory-files.ts";
import { complain, type Process, type Program } from "../process.ts";
import { withAll } from "../read-all.ts";

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "\\": "\\",
  a: "\x07",
  e: "\x1b",
  "0": "\0",
  b: "\b",
};
const NEWLINE = 10;
const DEFAULT_LINES = 10;
/** What is gone through in a step, in bytes; a line that is looked at, in steps; the longest text that is looked for. */
const BYTES_PER_STEP: number = 64 * 1024;
const STEPS_PER_LINE = 0.05;
const PATTERN_LENGTH_MAX = 256;

function withEscapes(text: string): string {
  return text.replace(/\\([ntr\\ae0b])/g, (_, char: string) => ownValue(ESCAPES, char) ?? char);
}

const echo: Program = async (args, { stdout }) => {
  let first = 0;
  while (/^-[neE]+$/.test(args[first] ?? "")) first++;
  const options = args.slice(0, first).join("");
  const text = args.slice(first).join(" ");
  await stdout.write(`${options.includes("e") ? withEscapes(text) : text}${options.includes("n") ? "" : "\n"}`);
  return 0;
};

/** Goes through the arguments as often as the format takes some. */
const printf: Program = async ([format = "", ...args], { stdout, work }) => {
  let at = 0;
  do {
    await work.step(1 + format.length / 1000);
    const text = withEscapes(format).replace(/%(-?\d*)(?:\.\d+)?([sdixc%])/g, (_, width: string, verb: string) => {
      if (verb === "%") return "%";
      const value = args[at++] ?? "";
      const shown = verb === "s" || verb === "c" ? value : String(Number.parseInt(value, 10) || 0);
      const length = Math.min(Math.abs(Number(width)), 1000);
      return width.startsWith("-") ? shown.padEnd(length) : shown.padStart(length, width.startsWith("0") ? "0" : " ");
    });
    await stdout.write(text);
    if (!/%-?\d*(?:\.\d+)?[sdixc]/.test(format)) break;
  } while (at < args.length);
  return 0;
};

/** Lets `use` read each file, or the input when there is none. */
async function eachInput(
  name: string,
  paths: readonly string[],
  process: Process,
  use: (input: Input, path: string) => Promise<void>,
): Promise<number> {
  let code = 0;
  for (const path of paths.length === 0 ? ["-"] : paths) {
    try {
      const input = path === "-" ? process.stdin : bytesOf(process.files.read(joinPath(process.location.cwd, path)));
      await use(input, path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      code = await complain(
        process,
        `${name}: ${name === "cat" ? "can't open " : ""}${name === "cat" ? `'${path}'` : path}: ${error.message}`,
      );
    }
  }
  return code;
}

function bytesOf(data: Buffer): Input {
  const chunks = [data];
  return { read: async () => chunks.pop() };
}

const cat: Program = (args, process) =>
  eachInput(
    "cat",
    args.filter((arg) => arg === "-" || !arg.startsWith("-")),
    process,
    async (input) => {
      for (let chunk = await input.read(); chunk !== undefined; chunk = await input.read()) await process.stdout.write(chunk);
    },
  );

interface Count {
  readonly unit: "lines" | "bytes";
  readonly sign: string;
  readonly count: number;
  readonly paths: readonly string[];
}

/** `-n 5`, `-n5`, `-5`, `-c +3`. */
function countOf(args: readonly string[]): Count {
  let found: Omit<Count, "paths"> = { unit: "lines", sign: "", count: DEFAULT_LINES };
  const paths: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    const short = /^-(\d+)$/.exec(arg);
    const [, unit = "", value = ""] = /^-([nc])(.*)$/.exec(arg) ?? [];
    if (short !== null) found = { unit: "lines", sign: "", count: Number(short[1]) };
    else if (unit !== "") {
      const text = value === "" ? (args[++i] ?? "") : value;
      found = {
        unit: unit === "n" ? "lines" : "bytes",
        sign: text[0] === "+" ? "+" : "",
        count: Math.abs(Number.parseInt(text, 10)) || 0,
      };
    } else if (!arg.startsWith("-") || arg === "-") paths.push(arg);
  }
  return { ...found, paths };
}

const head: Program = (args, process) => {
  const { unit, count, paths } = countOf(args);
  return eachInput("head", paths, process, async (input) => {
    let left = count;
    for (
      let chunk = left > 0 ? await input.read() : undefined;
      chunk !== undefined;
      chunk = left > 0 ? await input.read() : undefined
    ) {
      const end = unit === "bytes" ? Math.min(left, chunk.length) : afterLines(chunk, left);
      await process.stdout.write(chunk.subarray(0, end));
      left -= unit === "bytes" ? end : linesIn(chunk.subarray(0, end));
    }
  });
};

const tail: Program = (args, process) => {
  const { unit, sign, count, paths } = countOf(args);
  return eachInput("tail", paths, process, (input) =>
    withAll(input, process.allowance, async (data) => {
      await process.work.step(1 + data.length / BYTES_PER_STEP);
      const total = unit === "bytes" ? data.length : linesIn(data) + (data.at(-1) === NEWLINE || data.length === 0 ? 0 : 1);
      const skipped = sign === "+" ? Math.max(0, count - 1) : Math.max(0, total - count);
      await process.stdout.write(data.subarray(unit === "bytes" ? skipped : skipped === 0 ? 0 : afterLines(data, skipped)));
    }),
  );
};

function linesIn(data: Buffer): number {
  let lines = 0;
  for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}

/** Where the line behind so many begins. */
function afterLines(data: Buffer, lines: number): number {
  let end = 0;
  for (let i = 0; i < lines; i++) {
    const next = data.indexOf(NEWLINE, end);
    if (next < 0) return data.length;
    end = next + 1;
  }
  return end;
}

const wc: Program = (args, process) => {
  const options = args.filter((arg) => arg.startsWith("-")).join("");
  const paths = args.filter((arg) => !arg.startsWith("-"));
  const shows = (option: string): boolean => options === "" || options.includes(option);
  return eachInput("wc", paths, process, async (input, path) => {
    const { lines, words, bytes } = await countsOf(input, process);
    const counts = [...(shows("l") ? [lines] : []), ...(shows("w") ? [words] : []), ...(shows("c") ? [bytes] : [])];
    const text = counts.length === 1 ? String(counts[0]) : counts.map((count) => String(count).padStart(9)).join("");
    await process.stdout.write(`${text}${path === "-" ? "" : ` ${path}`}\n`);
  });
};

async function countsOf(input: Input, { work }: Process): Promise<{ lines: number; words: number; bytes: number }> {
  let [lines, words, bytes, inWord] = [0, 0, 0, false];
  for (let chunk = await input.read(); chunk !== undefined; chunk = await input.read()) {
    for (let at = 0; at < chunk.length; at += BYTES_PER_STEP) {
      await work.step();
      const part = chunk.subarray(at, at + BYTES_PER_STEP);
      lines += linesIn(part);
      for (const byte of part) {
        const isSpace = byte === 32 || (byte >= 9 && byte <= 13);
        if (!isSpace && !inWord) words++;
        inWord = !isSpace;
      }
    }
    bytes += chunk.length;
  }
  return { lines, words, bytes };
}

/** Plain texts only: a pattern of a user must not be able to run away. */
const grep: Program = async (args, process) => {
  const options = args.filter((arg) => /^-[a-zA-Z]+$/.test(arg)).join("");
  const [pattern = "", ...paths] = args.filter((arg) => !/^-[a-zA-Z]+$/.test(arg));
  const fold = (text: string): string => (options.includes("i") ? text.toLowerCase() : text);
  if (pattern.length > PATTERN_LENGTH_MAX) return (await complain(process, "grep: pattern too long")) + 1;
  const [wanted, inverted] = [fold(pattern), options.includes("v")];
  const found: string[] = [];
  const code = await eachInput("grep", paths, process, async (input) => {
    await withAll(input, process.allowance, async (data) => {
      const lines = data.toString("utf8").replace(/\n$/, "").split("\n");
      for (const line of lines) {
        await process.work.step(STEPS_PER_LINE + (line.length * wanted.length) / 1_000_000);
        if (line.length > 0 || data.length > 0) if (fold(line).includes(wanted) !== inverted) found.push(line);
      }
    });
  });
  if (options.includes("c")) await process.stdout.write(`${found.length}\n`);
  else if (!options.includes("q")) for (const line of found) await process.stdout.write(`${line}\n`);
  return code !== 0 ? 2 : Number(found.length === 0);
};

const tee: Program = async (args, process) => {
  const append = args.includes("-a");
  const paths = args.filter((arg) => !arg.startsWith("-")).map((path) => joinPath(process.location.cwd, path));
  for (const path of paths) process.files.write(path, Buffer.alloc(0), process.clock.now(), { append });
  for (let chunk = await process.stdin.read(); chunk !== undefined; chunk = await process.stdin.read()) {
    for (const path of paths) process.files.write(path, chunk, process.clock.now(), { append: true });
    await process.stdout.write(chunk);
  }
  return 0;
};

/** How much is said at once by who has much to say, in bytes. */
const BLOCK_BYTES: number = 16 * 1024;

const seq: Program = async (args, { stdout }) => {
  const numbers = args.map(Number);
  const [first = 1, step = 1, last = 1] =
    numbers.length === 1 ? [1, 1, ...numbers] : numbers.length === 2 ? [numbers[0], 1, numbers[1]] : numbers;
  if (step === 0 || numbers.some(Number.isNaN)) return 1;
  let block = "";
  for (let value = first; step > 0 ? value <= last : value >= last; value += step) {
    block += `${value}\n`;
    if (block.length < BLOCK_BYTES) continue;
    await stdout.write(block);
    block = "";
  }
  if (block !== "") await stdout.write(block);
  return 0;
};
/** How long who never stops rests after each block, in milliseconds. */
const REST_MS = 1;

const yes: Program = async (args, { stdout, clock, signal }) => {
  const line = `${args.length === 0 ? "y" : args.join(" ")}\n`;
  const block = line.repeat(Math.max(1, Math.floor(BLOCK_BYTES / line.length)));
  for (;;) {
    await stdout.write(block);
    await clock.sleep(REST_MS, signal);
  }
};

/** Programs for texts. */
export const textPrograms: Readonly<Record<string, Program>> = { echo, printf, cat, head, tail, wc, grep, tee, seq, yes };
