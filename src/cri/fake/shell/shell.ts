import { BrokenPipeError, BytePipe, type Input, type Output } from "../byte-pipe.ts";
import { FileError } from "../memory-files.ts";
import { complain, metered, type Process, type Program } from "../process.ts";
import { withAll } from "../read-all.ts";
import { type BuiltinShell, builtin } from "./builtins.ts";
import { EXIT_BROKEN_PIPE, EXIT_NOT_FOUND, EXIT_SYNTAX, Exit, LoopControl } from "./exits.ts";
import { Expansion } from "./expansion.ts";
import { redirect } from "./redirection.ts";
import { type Command, parseScript, type Redirection } from "./syntax.ts";
import { assign, type ShellState, VALUE_LENGTH_MAX } from "./variables.ts";
import { ShellSyntaxError, type Word } from "./words.ts";

/** How deep scripts may start others. */
const DEPTH_MAX = 20;
/** Variables that are copied, and characters that are understood, in a step. */
const VARIABLES_PER_STEP = 100;
const LENGTH_PER_STEP = 1000;

/** Finds programs by their names. */
export type Programs = (name: string) => Program | undefined;

/** A small shell for simulated containers: the commonest parts of the language, over programs that are simulated too. */
export class Shell {
  readonly #programs: Programs;
  readonly #background = new Set<Promise<unknown>>();
  readonly #state: ShellState;
  readonly #asBuiltinsSee: BuiltinShell;

  constructor(programs: Programs, args: readonly string[] = ["sh"]) {
    this.#programs = programs;
    this.#state = { arguments: args, last: 0 };
    this.#asBuiltinsSee = {
      state: this.#state,
      command: (words, process) => this.#command(words, process),
      script: async (text, process) => (await this.run(text, process)).code,
      settled: async () => void (await Promise.all(this.#background)),
    };
  }

  /** Runs a script to its end; gives its exit code. `exit` also ends whoever called, with `interactive` set to tell. */
  async run(script: string, process: Process): Promise<{ readonly code: number; readonly exited: boolean }> {
    try {
      if (process.depth > DEPTH_MAX) throw new ShellSyntaxError("scripts too deep");
      await process.work.step(1 + script.length / LENGTH_PER_STEP);
      this.#state.last = await this.#execute(parseScript(script), process);
      return { code: this.#state.last, exited: false };
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
          if (before === "&&" && this.#state.last !== 0) continue;
          if (before === "||" && this.#state.last === 0) continue;
          this.#state.last = await this.#execute(item, process);
        }
        return this.#state.last;
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
        const values = await this.#expansion(process).all(command.words);
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
        const redirected = await redirect(command.redirections, process, (word) => this.#expansion(process).one(word));
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
    const expansion = this.#expansion(process);
    const assignments: [string, string][] = [];
    let first = 0;
    for (const word of words) {
      const [, name = ""] = /^([A-Za-z_]\w*)=/.exec(word[0]?.kind === "text" && !word[0].quoted ? word[0].text : "") ?? [];
      if (name === "") break;
      assignments.push([name, (await expansion.one(word)).slice(name.length + 1)]);
      first++;
    }
    const [name, ...args] = await expansion.all(words.slice(first));
    const redirected = await redirect(redirections, process, (word) => expansion.one(word));
    if (redirected === undefined) return 1;
    const { stdout, stderr, work } = redirected;
    const inside = { ...redirected, stdout: metered(stdout, work), stderr: metered(stderr, work) };
    if (name === undefined) {
      for (const [key, value] of assignments) assign(process, key, value);
      return 0;
    }
    const done = await builtin(name, args, inside, this.#asBuiltinsSee);
    if (done !== undefined) return done;
    const program = this.#programs(name);
    if (program === undefined) {
      await complain(redirected, `sh: ${name}: not found`);
      return EXIT_NOT_FOUND;
    }
    const env = assignments.length === 0 ? inside.env : new Map([...inside.env, ...assignments]);
    return program(args, { ...inside, env });
  }

  /** Runs what was expanded before, instead of the shell. */
  async #command(words: readonly string[], process: Process): Promise<number> {
    if (process.depth > DEPTH_MAX) throw new ShellSyntaxError("scripts too deep");
    return this.#simple(
      words.map((text) => [{ kind: "text", text, quoted: true }]),
      [],
      process,
    );
  }

  #expansion(process: Process): Expansion {
    return new Expansion(process, this.#state, (script) => this.#substitute(script, process));
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
}

async function cannotFork(process: Process): Promise<number> {
  await complain(process, "sh: can't fork: Resource temporarily unavailable");
  return EXIT_SYNTAX;
}
