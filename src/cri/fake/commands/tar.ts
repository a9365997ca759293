import { FileError, joinPath, type MemoryFiles, parentOf, trimSlashes } from "../memory-files.ts";
import { complain, type Process, type Program } from "../process.ts";
import { withAll } from "../read-all.ts";
import { StepsExceededError } from "../work.ts";
import { decodeMembers, encodeMember, TAR_END } from "./tar-format.ts";

/** The largest archive that is read from the input, in bytes. */
const ARCHIVE_BYTES_MAX: number = 64 * 1024 * 1024;

interface TarCall {
  readonly mode: "c" | "x" | "t";
  readonly archive: string;
  readonly directory: string;
  readonly paths: readonly string[];
}

/** The calls of `kubectl cp` and their like: letters with or without a dash, `-f FILE`, `-C FOLDER`. */
function callOf(args: readonly string[]): TarCall | undefined {
  let mode: TarCall["mode"] | undefined;
  let archive = "-";
  let directory = ".";
  const paths: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "-C") directory = args[++i] ?? ".";
    else if (arg === "-" || arg.startsWith("--") || (i > 0 && !arg.startsWith("-"))) {
      if (!arg.startsWith("--")) paths.push(arg);
    } else {
      for (const letter of arg.replace(/^-/, "")) {
        if (letter === "c" || letter === "x" || letter === "t") mode = letter;
        if (letter === "f") archive = args[++i] ?? "-";
      }
    }
  }
  return mode === undefined ? undefined : { mode, archive, directory, paths };
}

/** `tar` for creating, extracting and listing, without compression. */
export const tar: Program = async (args, process) => {
  const call = callOf(args);
  if (call === undefined) return complain(process, "tar: one of '-cxt' must be given");
  const directory = joinPath(process.location.cwd, call.directory);
  try {
    if (process.files.find(directory)?.type !== "directory") throw new FileError(`can't change directory to '${call.directory}'`);
    if (call.mode === "c") return await create(call, directory, process);
    const use = (archive: Buffer): Promise<number> => extract(archive, directory, call, process);
    return call.archive === "-"
      ? await withAll(process.stdin, process.allowance, use, ARCHIVE_BYTES_MAX)
      : await use(process.files.read(joinPath(process.location.cwd, call.archive)));
  } catch (error) {
    if (error instanceof FileError || error instanceof RangeError) return complain(process, `tar: ${error.message}`);
    throw error;
  }
};

async function create(call: TarCall, directory: string, process: Process): Promise<number> {
  const { files, stdout, clock, location } = process;
  const archive = joinPath(location.cwd, call.archive);
  if (call.archive !== "-") files.write(archive, Buffer.alloc(0), clock.now());
  const write = async (bytes: Buffer): Promise<void> => {
    await process.work.step(1 + bytes.length / 65_536);
    if (call.archive === "-") await stdout.write(bytes);
    else files.write(archive, bytes, clock.now(), { append: true });
  };
  let code = 0;
  for (const path of call.paths) {
    const from = joinPath(directory, path);
    if (files.find(from, false) === undefined) code = await complain(process, `tar: ${path}: No such file or directory`);
    else for (const member of tree(files, from, trimSlashes(path, true) || ".", archive)) await write(member);
  }
  await write(TAR_END);
  return code;
}

/** An archive is not a part of itself. */
function* tree(files: MemoryFiles, path: string, name: string, archive: string): Generator<Buffer> {
  const node = files.find(path, false);
  if (node === undefined || path === archive) return;
  const { type, mode, mtimeMs, data } = node;
  yield encodeMember({ type, mode, mtimeMs, data, name });
  if (node.type !== "directory") return;
  for (const inside of files.list(path)) yield* tree(files, joinPath(path, inside), `${name}/${inside}`, archive);
}

async function extract(archive: Buffer, directory: string, call: TarCall, process: Process): Promise<number> {
  const { files, clock, stdout } = process;
  const now = clock.now();
  try {
    for (const member of decodeMembers(archive)) {
      await process.work.step();
      const name = trimSlashes(member.name, true);
      if (call.paths.length > 0 && !call.paths.some((path) => name === path || name.startsWith(`${path}/`))) continue;
      if (call.mode === "t") {
        await stdout.write(`${member.name}\n`);
        continue;
      }
      if (name.split("/").includes("..")) throw new FileError(`${member.name}: name with '..'`);
      const path = joinPath(directory, name);
      if (member.type === "directory") files.makeDirectory(path, now, true, member.mode);
      else {
        files.makeDirectory(parentOf(path), now, true);
        if (files.find(path, false)?.type !== "directory") files.remove(path);
        if (member.type === "link") files.link(path, member.data.toString(), now);
        else files.write(path, member.data, now, { mode: member.mode });
      }
    }
  } catch (error) {
    process.signal.throwIfAborted();
    if (error instanceof StepsExceededError) throw error;
    return complain(process, `tar: ${error instanceof Error ? error.message : String(error)}`);
  }
  return 0;
}
