import type { Input, Output } from "../byte-pipe.ts";
import { FileError, joinPath } from "../memory-files.ts";
import { complain, type Process } from "../process.ts";
import type { Redirection } from "./syntax.ts";
import type { Word } from "./words.ts";

/** The process with its streams where the redirections lead; undefined when one could not be opened, which it was told. */
export async function redirect(
  redirections: readonly Redirection[],
  process: Process,
  expand: (word: Word) => Promise<string>,
): Promise<Process | undefined> {
  let { stdin, stdout, stderr } = process;
  for (const { operator, file } of redirections) {
    if (operator === "2>&1") stderr = stdout;
    else if (operator === ">&2") stdout = stderr;
    else {
      const name = file === undefined ? "" : await expand(file);
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
