import { FileError, type FileNode, joinPath, lastName, type MemoryFiles, trimSlashes } from "../memory-files.ts";
import { complain, type Process, type Program } from "../process.ts";

interface Arguments {
  /** All letters behind a dash. */
  readonly options: string;
  readonly paths: readonly string[];
}

function argumentsOf(args: readonly string[]): Arguments {
  const end = args.indexOf("--");
  const isOption = (arg: string, i: number): boolean => arg.startsWith("-") && arg !== "-" && (end < 0 || i <= end);
  return {
    options: args.filter((arg, i) => isOption(arg, i)).join(""),
    paths: args.filter((arg, i) => !isOption(arg, i)),
  };
}

/** Does something with each path; tells what fails and goes on. */
async function each(
  name: string,
  paths: readonly string[],
  process: Process,
  use: (path: string, shown: string) => unknown,
): Promise<number> {
  let code = 0;
  for (const path of paths) {
    await process.work.step();
    try {
      await use(joinPath(process.location.cwd, path), path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      code = await complain(process, `${name}: ${path}: ${error.message}`);
    }
  }
  return code;
}

const ls: Program = async (args, process) => {
  const { options, paths } = argumentsOf(args);
  const { files, stdout } = process;
  const line = (path: string, name: string): string => (options.includes("l") ? longLine(files, path, name) : name);
  return each("ls", paths.length === 0 ? ["."] : paths, process, async (path, shown) => {
    const node = files.find(path);
    if (node === undefined) throw new FileError("No such file or directory");
    if (node.type !== "directory" || options.includes("d")) {
      await stdout.write(`${line(path, shown)}\n`);
      return;
    }
    if (paths.length > 1) await stdout.write(`${shown}:\n`);
    const names = files.list(path).filter((name) => options.toLowerCase().includes("a") || !name.startsWith("."));
    const all = options.includes("a") ? [".", "..", ...names] : names;
    for (const name of all) await stdout.write(`${line(joinPath(files.resolve(path, true), name), name)}\n`);
  });
};

const TYPE_LETTERS = { file: "-", directory: "d", link: "l" } as const;

function longLine(files: MemoryFiles, path: string, name: string): string {
  const node = files.find(path, false) ?? files.find(path);
  if (node === undefined) return name;
  const bits = [...node.mode.toString(8).padStart(3, "0")].map((digit) =>
    [4, 2, 1].map((bit, i) => ((Number(digit) & bit) !== 0 ? "rwx"[i] : "-")).join(""),
  );
  const [day = "", time = ""] = new Date(node.mtimeMs).toISOString().split("T");
  const target = node.type === "link" ? ` -> ${node.data.toString()}` : "";
  const size = node.type === "directory" ? 4096 : node.data.length;
  return `${TYPE_LETTERS[node.type]}${bits.join("")}    1 root     root     ${String(size).padStart(9)} ${day} ${time.slice(0, 5)} ${name}${target}`;
}

const touch: Program = (args, process) => {
  const { files, clock } = process;
  return each("touch", argumentsOf(args).paths, process, (path) => {
    if (files.find(path) === undefined) files.write(path, Buffer.alloc(0), clock.now());
    else files.change(path, { mtimeMs: clock.now() });
  });
};

const rm: Program = (args, process) => {
  const { options, paths } = argumentsOf(args);
  const isForced = options.includes("f");
  return each("rm", paths, process, (path) => {
    const node = process.files.find(path, false);
    if (node === undefined && isForced) return;
    if (node === undefined) throw new FileError("No such file or directory");
    if (node.type === "directory" && !/r/i.test(options)) throw new FileError("is a directory");
    if (process.files.resolve(path, false) === "/") throw new FileError("it is dangerous to operate recursively on '/'");
    process.files.remove(path);
  });
};

const rmdir: Program = (args, process) =>
  each("rmdir", argumentsOf(args).paths, process, (path) => {
    if (process.files.list(path).length > 0) throw new FileError("Directory not empty");
    process.files.remove(path);
  });

const mkdir: Program = (args, process) => {
  const { options, paths } = argumentsOf(args);
  return each("mkdir", paths, process, (path) => process.files.makeDirectory(path, process.clock.now(), options.includes("p")));
};

/** Where a file lands that is copied or moved: in a folder under its own name. */
function destination(files: MemoryFiles, from: string, to: string): string {
  return files.find(to)?.type === "directory" ? joinPath(files.resolve(to, true), lastName(from)) : to;
}

async function copyTree(process: Process, from: string, to: string): Promise<void> {
  const { files, clock } = process;
  const nowMs = clock.now();
  await process.work.step();
  const node = files.find(from, false) as FileNode;
  if (node.type === "link") files.link(to, node.data.toString(), nowMs);
  else if (node.type === "file") files.write(to, node.data, nowMs, { mode: node.mode });
  else {
    files.makeDirectory(to, nowMs, true, node.mode);
    for (const name of files.list(from)) await copyTree(process, joinPath(from, name), joinPath(to, name));
  }
}

function transfer(name: "cp" | "mv"): Program {
  return (args, process) => {
    const { options, paths } = argumentsOf(args);
    const { files, location } = process;
    const to = joinPath(location.cwd, paths.at(-1) ?? "");
    return each(name, paths.slice(0, -1), process, async (path) => {
      const from = files.resolve(path, name === "cp");
      const node = files.find(from, false);
      if (node === undefined) throw new FileError("No such file or directory");
      if (name === "cp" && node.type === "directory" && !/[ra]/i.test(options)) throw new FileError("omitting directory");
      const target = destination(files, from, to);
      if (target === from || target.startsWith(`${from}/`)) throw new FileError("cannot copy into itself");
      await copyTree(process, from, target);
      if (name === "mv") files.remove(from);
    });
  };
}

const ln: Program = (args, process) => {
  const [target = "", name = ""] = argumentsOf(args).paths;
  return each("ln", [name], process, (path) => process.files.link(path, target, process.clock.now()));
};

const chmod: Program = (args, process) => {
  const [mode = "", ...paths] = argumentsOf(args).paths;
  const set = /^[0-7]{3,4}$/.test(mode) ? Number.parseInt(mode.slice(-3), 8) : undefined;
  return each("chmod", paths, process, (path) => {
    const old = process.files.find(path)?.mode ?? 0;
    process.files.change(path, { mode: set ?? (mode.includes("+x") ? old | 0o111 : old) });
  });
};

const basename: Program = async ([path = "", suffix = ""], { stdout }) => {
  const name = lastName(path);
  await stdout.write(`${suffix !== "" && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}\n`);
  return 0;
};

const dirname: Program = async ([path = ""], { stdout }) => {
  const trimmed = trimSlashes(path, false);
  const parent = trimSlashes(trimmed.slice(0, Math.max(0, trimmed.lastIndexOf("/"))), false);
  await stdout.write(`${parent === "" ? (path.startsWith("/") ? "/" : ".") : parent}\n`);
  return 0;
};

/** Programs for files. */
export const filePrograms: Readonly<Record<string, Program>> = {
  ls,
  touch,
  rm,
  rmdir,
  mkdir,
  cp: transfer("cp"),
  mv: transfer("mv"),
  ln,
  chmod,
  basename,
  dirname,
};
