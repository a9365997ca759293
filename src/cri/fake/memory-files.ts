/** A file, folder or link of a simulated container. */
export interface FileNode {
  readonly type: "file" | "directory" | "link";
  readonly mode: number;
  readonly mtimeMs: number;
  /** A file's bytes; a link's target. */
  readonly data: Buffer;
}

/** How much the files of one container may hold, in bytes, and how many there may be. */
const FILES_BYTES_MAX: number = 64 * 1024 * 1024;
const FILES_MAX = 10_000;
const LINKS_MAX = 16;

/** Why a path cannot be used, in the words of Linux. */
export class FileError extends Error {
  override readonly name = "FileError";
}

/** The file system of one simulated container, in memory. Paths are absolute; links are followed. */
export class MemoryFiles {
  readonly #nodes = new Map<string, FileNode>();
  #bytes = 0;

  constructor(nowMs: number) {
    this.#nodes.set("/", { type: "directory", mode: 0o755, mtimeMs: nowMs, data: Buffer.alloc(0) });
  }

  /** What is there. Links in the way are followed, and the last one when `follow` is set. */
  find(path: string, follow = true): FileNode | undefined {
    return this.#nodes.get(this.resolve(path, follow));
  }

  read(path: string): Buffer {
    const node = this.find(path);
    if (node === undefined) throw new FileError("No such file or directory");
    if (node.type === "directory") throw new FileError("Is a directory");
    return node.data;
  }

  /** Makes a file or takes the place of its bytes. Throws {@link FileError}. */
  write(path: string, data: Buffer, nowMs: number, options: { append?: boolean; mode?: number } = {}): void {
    const target = this.resolve(path, true);
    const old = this.#nodes.get(target);
    if (old?.type === "directory") throw new FileError("Is a directory");
    const content = options.append === true && old !== undefined ? Buffer.concat([old.data, data]) : data;
    this.#set(target, { type: "file", mode: options.mode ?? old?.mode ?? 0o644, mtimeMs: nowMs, data: content });
  }

  link(path: string, target: string, nowMs: number): void {
    this.#set(this.resolve(path, false), { type: "link", mode: 0o777, mtimeMs: nowMs, data: Buffer.from(target) });
  }

  /** Makes a folder, with those above it when `parents` is set. */
  makeDirectory(path: string, nowMs: number, parents: boolean, mode = 0o755): void {
    const target = this.resolve(path, true);
    const old = this.#nodes.get(target);
    if (old !== undefined) {
      if (parents && old.type === "directory") return;
      throw new FileError("File exists");
    }
    if (parents) this.makeDirectory(parentOf(target), nowMs, true);
    this.#set(target, { type: "directory", mode, mtimeMs: nowMs, data: Buffer.alloc(0) });
  }

  /** Takes a file away, or a folder with all that is in it. */
  remove(path: string): void {
    const target = this.resolve(path, false);
    const inside = `${target}/`;
    for (const [name, node] of [...this.#nodes]) {
      if (name !== target && !name.startsWith(inside)) continue;
      this.#bytes -= node.data.length;
      this.#nodes.delete(name);
    }
  }

  change(path: string, change: { readonly mode?: number; readonly mtimeMs?: number }): void {
    const target = this.resolve(path, true);
    const node = this.#nodes.get(target);
    if (node === undefined) throw new FileError("No such file or directory");
    this.#nodes.set(target, { ...node, ...change });
  }

  /** The names in a folder, in order. */
  list(path: string): readonly string[] {
    const target = this.resolve(path, true);
    if (this.#nodes.get(target)?.type !== "directory") throw new FileError("Not a directory");
    const prefix = target === "/" ? "/" : `${target}/`;
    const names = [...this.#nodes.keys()].filter((name) => name.startsWith(prefix) && name !== "/");
    return names
      .map((name) => name.slice(prefix.length))
      .filter((name) => !name.includes("/"))
      .sort();
  }

  /** The path without links, `.` and `..`. */
  resolve(path: string, followLast: boolean, depth = 0): string {
    if (depth > LINKS_MAX) throw new FileError("Too many levels of symbolic links");
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    let at = "/";
    for (const [i, part] of parts.entries()) {
      const next = part === ".." ? parentOf(at) : joinPath(at, part);
      const node = this.#nodes.get(next);
      const isLast = i === parts.length - 1;
      if (node?.type !== "link" || (isLast && !followLast)) {
        at = next;
        continue;
      }
      at = this.resolve(joinPath(at, node.data.toString()), true, depth + 1);
    }
    return at;
  }

  #set(path: string, node: FileNode): void {
    const parent = this.#nodes.get(parentOf(path));
    if (parent === undefined) throw new FileError("No such file or directory");
    if (parent.type !== "directory") throw new FileError("Not a directory");
    const before = this.#nodes.get(path);
    const bytes = this.#bytes - (before?.data.length ?? 0) + node.data.length;
    if (bytes > FILES_BYTES_MAX || (before === undefined && this.#nodes.size >= FILES_MAX)) {
      throw new FileError("No space left on device");
    }
    this.#bytes = bytes;
    this.#nodes.set(path, node);
  }
}

/** A path seen from a folder. */
export function joinPath(from: string, path: string): string {
  if (path.startsWith("/")) return path;
  return from === "/" ? `/${path}` : `${from}/${path}`;
}

/** The folder that a path is in. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
