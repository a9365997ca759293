import { readAll } from "../byte-pipe.ts";
import { FileError, joinPath, type MemoryFiles, parentOf } from "../memory-files.ts";
import { complain, type Process, type Program } from "../process.ts";
import { decodeMembers, encodeMember, TAR_END } from "./tar-format.ts";

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
    const archive =
      call.archive === "-" ? await readAll(process.stdin) : process.files.read(joinPath(process.location.cwd, call.archive));
    return await extract(archive, directory, call, process);
  } catch (error) {
    if (error instanceof FileError || error instanceof RangeError) return complain(process, `tar: ${error.message}`);
    throw error;
  }
};

async function create(call: TarCall, directory: string, process: Process): Promise<number> {
  const { files, stdout, clock, location } = process;
  const parts: Buffer[] = [];
  const write = async (bytes: Buffer): Promise<void> => {
    if (call.archive === "-") await stdout.write(bytes);
    else parts.push(bytes);
  };
  let code = 0;
  for (const path of call.paths) {
    const from = joinPath(directory, path);
    if (files.find(from, false) === undefined) code = await complain(process, `tar: ${path}: No such file or directory`);
    else for (const member of tree(files, from, path.replace(/^\/+/, "").replace(/\/+$/, "") || ".")) await write(member);
  }
  await write(TAR_END);
  if (call.archive !== "-") files.write(joinPath(location.cwd, call.archive), Buffer.concat(parts), clock.now());
  return code;
}

function* tree(files: MemoryFiles, path: string, name: string): Generator<Buffer> {
  const node = files.find(path, false);
  if (node === undefined) return;
  yield encodeMember({ ...node, name });
  if (node.type !== "directory") return;
  for (const inside of files.list(path)) yield* tree(files, joinPath(path, inside), `${name}/${inside}`);
}

async function extract(archive: Buffer, directory: string, call: TarCall, process: Process): Promise<number> {
  const { files, clock, stdout } = process;
  const now = clock.now();
  try {
    for (const member of decodeMembers(archive)) {
      const name = member.name.replace(/^\/+/, "").replace(/\/+$/, "");
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
        if (member.type === "link") files.link(path, member.data.toString(), now);
        else files.write(path, member.data, now, { mode: member.mode });
      }
    }
  } catch (error) {
    return complain(process, `tar: ${error instanceof Error ? error.message : String(error)}`);
  }
  return 0;
}
