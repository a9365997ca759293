import { BrokenPipeError, BytePipe, type Input, type Output } from "../byte-pipe.ts";
import { GrowingBytes } from "../growing-bytes.ts";
import { FileError, joinPath } from "../memory-files.ts";
import { complain, metered, type Process, type Program } from "../process.ts";
import { withAll } from "../read-all.ts";
import { calculate } from "./arithmetic.ts";
import { type Command, parseScript, plainText, type Redirection } from "./syntax.ts";
import { ShellSyntaxError, type Word } from "./words.ts";

/** Exit codes of the shell itself: a script that it does not understand, a program that is not there, one that was told to go. */
export const EXIT_SYNTAX = 2;
const EXIT_NOT_FOUND = 127;
const EXIT_BROKEN_PIPE = 141;
/** How deep scripts may start others. */
const DEPTH_MAX = 20;
/** Longest value of a variable or a substitution, in characters; most variables; and what a command's words may come to. */
const VALUE_LENGTH_MAX: number = 1024 * 1024;
const VARIABLES_MAX = 20_000;
const WORDS_MAX = 50_000;
const WORDS_LENGTH_MAX: number = 2 * 1024 * 1024;
/** Variables that are copied, and characters that are understood, in a step. */
const VARIABLES_PER_STEP = 100;
const LENGTH_PER_STEP = 1000;

class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super();
    this.code = code;
  }
}
class LoopControl extends Error {
  readonly goesOn: boolean;
  constructor(goesOn: boolean) {
    super();
    this.goesOn = goesOn;
  }
}

/** Finds programs by their names. */
export type Programs = (name: string) => Program | undefined;

/** A small shell for simulated containers: the commonest parts of the language, over programs that are simulated too. */
export class Shell {
  readonly #programs: Programs;
  readonly #background = new Set<Promise<unknown>>();
  #arguments: readonly string[];
  #last = 0;

  constructor(programs: Programs, args: readonly string[] = ["sh"]) {
    this.#programs = programs;
    this.#arguments = args;
  }

  /** Runs a script to its end; gives its exit code. `exit` also ends whoever called, with `interactive` set to tell. */
  async run(script: string, process: Process): Promise<{ readonly code: number; readonly exited: boolean }> {
    try {
      if (process.depth > DEPTH_MAX) throw new ShellSyntaxError("scripts too deep");
      await process.work.step(1 + script.length / LENGTH_PER_STEP);
      this.#last = await this.#execute(parseScript(script), process);
      return { code: this.#last, exited: false };
    } catch (error) {
      if (error instanceof Exit) return { code: error.code, exited: true };
      if (error instanceof LoopControl) return { code: 0, exited: false };
      if (error instanceof BrokenPipeError) return { code: EXIT_BROKEN_PIPE, exited: true };
      if (!(error instanceof ShellSyntaxError) && !(error instanceof FileError)) throw error;
      await complain(process, `sh: ${error.message}`);
      return { code: EXIT_SYNTAX, exited: false };
    }
  }

  async #execute(command: Command, process: Process): Promise<number> {
    await process.work.step();
    switch (command.kind) {
      case "simple":
        return this.#simple(command.words, command.redirections, process);
      case "pipeline": {
        const code = await this.#pipeline(command.commands, process);
        return command.negated ? Number(code === 0) : code;
      }
      case "list":
        for (const { before, command: item } of command.items) {
          if (before === "&&" && this.#last !== 0) continue;
          if (before === "||" && this.#last === 0) continue;
          this.#last = await this.#execute(item, process);
        }
        return this.#last;
      case "background":
        return this.#startBehind(command.command, process);
      case "if":
        return this.#if(command, process);
      case "while":
        return this.#loop(
          process,
          async () => ((await this.#execute(command.test, process)) === 0) !== command.until,
          command.body,
        );
      case "for": {
        const values = await this.#expandAll(command.words, process);
        let at = 0;
        const next = async (): Promise<boolean> => {
          const value = values[at++];
          if (value !== undefined) assign(process, command.name, value);
          return value !== undefined;
        };
        return this.#loop(process, next, command.body);
      }
      case "subshell":
      case "group": {
        const redirected = await this.#redirect(command.redirections, process);
        if (redirected === undefined) return 1;
        return command.kind === "group" ? this.#execute(command.body, redirected) : this.#subshell(command.body, redirected);
      }
    }
  }

  async #startBehind(command: Command, process: Process): Promise<number> {
    if (!process.allowance.enter()) return cannotFork(process);
    const running: Promise<unknown> = this.#subshell(command, process)
      .catch(() => 1)
      .finally(() => {
        process.allowance.leave();
        this.#background.delete(running);
      });
    this.#background.add(running);
    return 0;
  }

  /** What it changes in the environment stays inside. */
  async #subshell(command: Command, process: Process): Promise<number> {
    await process.work.step(process.env.size / VARIABLES_PER_STEP);
    const own = { ...process, env: new Map(process.env), location: { ...process.location } };
    try {
      return await this.#execute(command, own);
    } catch (error) {
      if (error instanceof Exit) return error.code;
      if (error instanceof BrokenPipeError) return EXIT_BROKEN_PIPE;
      throw error;
    }
  }

  async #if(command: Command & { readonly kind: "if" }, process: Process): Promise<number> {
    for (const { test, body } of command.branches) {
      if ((await this.#execute(test, process)) === 0) return this.#execute(body, process);
    }
    return command.otherwise === undefined ? 0 : this.#execute(command.otherwise, process);
  }

  async #loop(process: Process, hasNext: () => Promise<boolean>, body: Command): Promise<number> {
    let code = 0;
    while (await hasNext()) {
      await process.work.step();
      try {
        code = await this.#execute(body, process);
      } catch (error) {
        if (!(error instanceof LoopControl)) throw error;
        if (!error.goesOn) break;
      }
    }
    return code;
  }

  async #pipeline(commands: readonly Command[], process: Process): Promise<number> {
    let entered = 0;
    while (entered < commands.length && process.allowance.enter()) entered++;
    try {
      return entered < commands.length ? await cannotFork(process) : await this.#pipeTogether(commands, process);
    } finally {
      for (; entered > 0; entered--) process.allowance.leave();
    }
  }

  async #pipeTogether(commands: readonly Command[], process: Process): Promise<number> {
    const pipes = commands.slice(1).map(() => new BytePipe());
    const codes = commands.map(async (command, i) => {
      const [from, to] = [pipes[i - 1], pipes[i]];
      const stdin: Input = from ?? process.stdin;
      const stdout: Output = to ?? process.stdout;
      try {
        return await this.#subshell(command, { ...process, stdin, stdout });
      } finally {
        to?.end();
        from?.breakOff();
      }
    });
    return (await Promise.all(codes)).at(-1) ?? 0;
  }

  async #simple(words: readonly Word[], redirections: readonly Redirection[], process: Process): Promise<number> {
    const assignments: [string, string][] = [];
    let first = 0;
    for (const word of words) {
      const [, name = ""] = /^([A-Za-z_]\w*)=/.exec(word[0]?.kind === "text" && !word[0].quoted ? word[0].text : "") ?? [];
      if (name === "") break;
      assignments.push([name, (await this.#expandOne(word, process)).slice(name.length + 1)]);
      first++;
    }
    const [name, ...args] = await this.#expandAll(words.slice(first), process);
    const redirected = await this.#redirect(redirections, process);
    if (redirected === undefined) return 1;
    const { stdout, stderr, work } = redirected;
    const inside = { ...redirected, stdout: metered(stdout, work), stderr: metered(stderr, work) };
    if (name === undefined) {
      for (const [key, value] of assignments) assign(process, key, value);
      return 0;
    }
    const builtin = await this.#builtin(name, args, inside);
    if (builtin !== undefined) return builtin;
    const program = this.#programs(name);
    if (program === undefined) {
      await complain(redirected, `sh: ${name}: not found`);
      return EXIT_NOT_FOUND;
    }
    const env = assignments.length === 0 ? inside.env : new Map([...inside.env, ...assignments]);
    return program(args, { ...inside, env });
  }

  /** What only the shell itself can do; undefined for all else. */
  async #builtin(name: string, args: readonly string[], process: Process): Promise<number | undefined> {
    const [first] = args;
    switch (name) {
      case ":":
        return 0;
      case "exit":
        throw new Exit(first === undefined ? this.#last : Number.parseInt(first, 10) & 255);
      case "break":
      case "continue":
        throw new LoopControl(name === "continue");
      case "cd": {
        const path = joinPath(process.location.cwd, first ?? process.env.get("HOME") ?? "/");
        if (process.files.find(path)?.type !== "directory")
          return complain(process, `sh: cd: can't cd to ${first}: No such file or directory`);
        process.location.cwd = process.files.resolve(path, true);
        process.env.set("PWD", process.location.cwd);
        return 0;
      }
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
        await process.work.step(this.#arguments.length / LENGTH_PER_STEP);
        this.#arguments = [this.#arguments[0] ?? "sh", ...this.#arguments.slice(2)];
        return 0;
      case "wait":
        await Promise.all(this.#background);
        return 0;
      case "exec":
        if (process.depth > DEPTH_MAX) throw new ShellSyntaxError("scripts too deep");
        throw new Exit(
          await this.#simple(
            args.map((text) => [{ kind: "text", text, quoted: true }]),
            [],
            { ...process, depth: process.depth + 1 },
          ),
        );
      case "eval":
        return (await this.run(args.join(" "), { ...process, depth: process.depth + 1 })).code;
      case "read": {
        const line = await readLine(process.stdin);
        assign(process, first === "-r" ? (args[1] ?? "REPLY") : (first ?? "REPLY"), line ?? "");
        return line === undefined ? 1 : 0;
      }
      default:
        return undefined;
    }
  }

  async #redirect(redirections: readonly Redirection[], process: Process): Promise<Process | undefined> {
    let { stdin, stdout, stderr } = process;
    for (const { operator, file } of redirections) {
      if (operator === "2>&1") stderr = stdout;
      else if (operator === ">&2") stdout = stderr;
      else {
        const name = file === undefined ? "" : await this.#expandOne(file, process);
        const path = joinPath(process.location.cwd, name);
        try {
          if (operator === "<") stdin = inputOf(process.files.read(path));
          else {
            const output = fileOutput(process, path, operator.endsWith(">>"));
            if (operator.startsWith("2")) stderr = output;
            else stdout = output;
          }
        } catch (error) {
          if (!(error instanceof FileError)) throw error;
          const verb = operator === "<" ? "open" : "create";
          await complain(process, `sh: can't ${verb} ${name}: ${error.message}`);
          return undefined;
        }
      }
    }
    return { ...process, stdin, stdout, stderr };
  }

  async #expandOne(word: Word, process: Process): Promise<string> {
    let all = "";
    for (const part of word) all = limited(all, await this.#valueOf(part, process));
    return all;
  }

  async #expandAll(words: readonly Word[], process: Process): Promise<string[]> {
    const all: string[] = [];
    let length = 0;
    for (const word of words) {
      for (const field of await this.#fields(word, process)) {
        length += field.length;
        if (all.push(field) > WORDS_MAX || length > WORDS_LENGTH_MAX) throw new ShellSyntaxError("Argument list too long");
      }
    }
    return all;
  }

  /** A word's values: what is not quoted falls apart at white space. */
  async #fields(word: Word, process: Process): Promise<readonly string[]> {
    const plain = plainText(word);
    if (plain !== "") return [plain.startsWith("~") ? plain.replace("~", process.env.get("HOME") ?? "/root") : plain];
    const fields: string[] = [];
    let current: string | undefined;
    for (const part of word) {
      if (part.kind === "variable" && (part.name === "@" || part.name === "*")) {
        for (const argument of this.#arguments.slice(1)) fields.push(argument);
        continue;
      }
      const value = await this.#valueOf(part, process);
      if (part.quoted || part.kind === "text") {
        current = limited(current ?? "", value);
        continue;
      }
      const pieces = value.split(/[ \t\n]+/);
      for (const [i, piece] of pieces.entries()) {
        if (i > 0 && current !== undefined) {
          fields.push(current);
          current = undefined;
        }
        if (piece !== "") current = limited(current ?? "", piece);
      }
    }
    if (current !== undefined) fields.push(current);
    return fields;
  }

  async #valueOf(part: Word[number], process: Process): Promise<string> {
    const variable = (name: string): string => this.#variable(name, process) ?? "";
    if (part.kind === "text") return part.text;
    if (part.kind === "variable") return this.#variable(part.name, process) ?? part.fallback ?? "";
    if (part.kind === "arithmetic") return String(calculate(part.expression, variable));
    return this.#substitute(part.script, process);
  }

  /** What a script says, without the ends of its last lines. */
  async #substitute(script: string, process: Process): Promise<string> {
    if (process.depth >= DEPTH_MAX) throw new ShellSyntaxError("scripts too deep");
    await process.work.step(1 + script.length / LENGTH_PER_STEP);
    const command = parseScript(script);
    const pipe = new BytePipe();
    const running = this.#subshell(command, { ...process, stdout: pipe, depth: process.depth + 1 }).finally(() => pipe.end());
    const saying = withAll(pipe, process.allowance, (data) => data.toString("utf8"), VALUE_LENGTH_MAX).finally(() =>
      pipe.breakOff(),
    );
    const [said] = await Promise.all([saying, running]);
    let end = said.length;
    while (said[end - 1] === "\n") end--;
    return said.slice(0, end);
  }

  #variable(name: string, { env }: Process): string | undefined {
    if (name === "?") return String(this.#last);
    if (name === "$") return "1";
    if (name === "#") return String(this.#arguments.length - 1);
    if (name === "@" || name === "*") return this.#arguments.slice(1).join(" ");
    return /^\d+$/.test(name) ? this.#arguments[Number(name)] : env.get(name);
  }
}

/** One line, without reading further; undefined at the end. */
export async function readLine(input: Input & { unread?: (rest: Buffer) => void }): Promise<string | undefined> {
  const lines = LINES.get(input) ?? { rest: new GrowingBytes() };
  LINES.set(input, lines);
  let from = 0;
  for (;;) {
    const { bytes } = lines.rest;
    const newline = bytes.indexOf(10, from);
    const end = newline < 0 && bytes.length >= LINE_BYTES_MAX ? bytes.length : newline;
    if (end >= 0) {
      lines.rest = new GrowingBytes(bytes.subarray(end + 1));
      return bytes.toString("utf8", 0, end);
    }
    from = bytes.length;
    const chunk = await input.read();
    if (chunk === undefined) {
      lines.rest = new GrowingBytes();
      return bytes.length === 0 ? undefined : bytes.toString("utf8");
    }
    lines.rest.add(chunk);
  }
}

/** What was read of an input behind the line that was asked for. */
const LINES = new WeakMap<Input, { rest: GrowingBytes }>();
/** A longer line is read in parts, in bytes. */
const LINE_BYTES_MAX: number = 128 * 1024;

function assign({ env }: Process, name: string, value: string): void {
  if (value.length > VALUE_LENGTH_MAX || (env.size >= VARIABLES_MAX && !env.has(name))) {
    throw new ShellSyntaxError(`${name.slice(0, 100)}: out of memory`);
  }
  env.set(name, value);
}

function limited(before: string, more: string): string {
  if (before.length + more.length > VALUE_LENGTH_MAX) throw new ShellSyntaxError("out of memory");
  return before + more;
}

async function cannotFork(process: Process): Promise<number> {
  await complain(process, "sh: can't fork: Resource temporarily unavailable");
  return EXIT_SYNTAX;
}

function inputOf(data: Buffer): Input {
  let left: Buffer | undefined = data;
  return {
    async read() {
      const all = left;
      left = undefined;
      return all === undefined || all.length === 0 ? undefined : all;
    },
  };
}

/** Writes into a file, which is emptied at once unless it is appended to. */
function fileOutput(process: Process, path: string, append: boolean): Output {
  const { files, clock } = process;
  if (path === "/dev/null") return { write: async () => {} };
  if (path === "/dev/stdout") return process.stdout;
  if (path === "/dev/stderr") return process.stderr;
  files.write(path, Buffer.alloc(0), clock.now(), { append });
  return {
    async write(data) {
      files.write(path, Buffer.from(data as Uint8Array), clock.now(), { append: true });
    },
  };
}
