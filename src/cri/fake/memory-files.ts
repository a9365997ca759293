import { Allowance, CONTAINER_LIMITS } from "./allowance.ts";
import { GrowingBytes } from "./growing-bytes.ts";

/** A file, folder or link of a simulated container. */
export interface FileNode {
  readonly type: "file" | "directory" | "link";
  readonly mode: number;
  readonly mtimeMs: number;
  /** A file's bytes; a link's target. */
  readonly data: Buffer;
}

/** How many files one container may have, and what each counts for beside its bytes. */
const FILES_MAX = 10_000;
const FILE_OVERHEAD_BYTES = 512;
/** As Linux: the longest path and name, and links on the way. */
const PATH_BYTES_MAX = 4096;
const NAME_BYTES_MAX = 255;
const LINKS_MAX = 40;

/** Why a path cannot be used, in the words of Linux. */
export class FileError extends Error {
  override readonly name = "FileError";
}

class TreeNode implements FileNode {
  readonly type: FileNode["type"];
  mode: number;
  mtimeMs: number;
  content: GrowingBytes;
  readonly children: Map<string, TreeNode> = new Map();
  /** What is seen in the place of this folder or file. */
  mounted: Mounted | undefined;

  constructor(type: FileNode["type"], mode: number, mtimeMs: number, data: Buffer = Buffer.alloc(0)) {
    this.type = type;
    this.mode = mode;
    this.mtimeMs = mtimeMs;
    this.content = new GrowingBytes(data);
  }

  get data(): Buffer {
    return this.content.bytes;
  }
}

interface Mounted {
  readonly node: TreeNode;
  readonly files: MemoryFiles;
  readonly readOnly: boolean;
}

/** Where a path leads: what is there, in which files, under which path. */
interface Place {
  readonly name: string;
  readonly node: TreeNode | undefined;
  readonly files: MemoryFiles;
  readonly readOnly: boolean;
}

/**
 * The file system of one simulated container, or a volume, in memory. Paths are absolute; links are followed. Each use
 * of a path takes a time that grows with its length alone.
 */
export class MemoryFiles {
  readonly #root: TreeNode;
  readonly #allowance: Allowance;
  #count = 0;

  constructor(nowMs: number, allowance: Allowance = new Allowance(CONTAINER_LIMITS)) {
    this.#root = new TreeNode("directory", 0o755, nowMs);
    this.#allowance = allowance;
  }

  /** What is there. Links in the way are followed, and the last one when `follow` is set. */
  find(path: string, follow = true): FileNode | undefined {
    return this.#walk(path, follow).at(-1)?.node;
  }

  read(path: string): Buffer {
    const node = this.find(path);
    if (node === undefined) throw new FileError("No such file or directory");
    if (node.type === "directory") throw new FileError("Is a directory");
    return node.data;
  }

  /** Makes a file or takes the place of its bytes. Throws {@link FileError}. */
  write(path: string, data: Buffer, nowMs: number, options: { append?: boolean; mode?: number } = {}): void {
    const places = this.#walk(path, true);
    const place = places.at(-1);
    const old = place?.node;
    if (old === undefined || place === undefined) {
      this.#add(places, new TreeNode("file", options.mode ?? 0o644, nowMs, data));
      return;
    }
    if (old.type === "directory") throw new FileError("Is a directory");
    if (place.readOnly) throw new FileError("Read-only file system");
    const append = options.append === true;
    place.files.#take(append ? data.length : data.length - old.data.length);
    if (append) old.content.add(data);
    else old.content = new GrowingBytes(data);
    old.mode = options.mode ?? old.mode;
    old.mtimeMs = nowMs;
  }

  link(path: string, target: string, nowMs: number): void {
    if (target.length > PATH_BYTES_MAX) throw new FileError("File name too long");
    const places = this.#walk(path, false);
    if (places.at(-1)?.node !== undefined) throw new FileError("File exists");
    this.#add(places, new TreeNode("link", 0o777, nowMs, Buffer.from(target)));
  }

  /** Makes a folder, with those above it when `parents` is set. */
  makeDirectory(path: string, nowMs: number, parents: boolean, mode = 0o755): void {
    const old = this.find(path);
    if (old !== undefined) {
      if (parents && old.type === "directory") return;
      throw new FileError("File exists");
    }
    if (parents) {
      let at = "";
      for (const part of partsOf(path).slice(0, -1)) {
        at = `${at}/${part}`;
        if (this.find(at) === undefined) this.#add(this.#walk(at, true), new TreeNode("directory", 0o755, nowMs));
      }
    }
    this.#add(this.#walk(path, true), new TreeNode("directory", mode, nowMs));
  }

  /** Takes a file away, or a folder with all that is in it. */
  remove(path: string): void {
    const places = this.#walk(path, false);
    const [above, place] = [places.at(-2), places.at(-1)];
    if (place?.node === undefined) return;
    const [raw] = above?.node === undefined ? [] : [above.node.children.get(place.name)];
    if (above === undefined || raw?.mounted !== undefined) throw new FileError("Device or resource busy");
    if (above.readOnly) throw new FileError("Read-only file system");
    above.node?.children.delete(place.name);
    place.files.#forget(place.name, place.node);
  }

  change(path: string, change: { readonly mode?: number; readonly mtimeMs?: number }): void {
    const place = this.#walk(path, true).at(-1);
    if (place?.node === undefined) throw new FileError("No such file or directory");
    if (place.readOnly) throw new FileError("Read-only file system");
    place.node.mode = change.mode ?? place.node.mode;
    place.node.mtimeMs = change.mtimeMs ?? place.node.mtimeMs;
  }

  /** The names in a folder, in order. */
  list(path: string): readonly string[] {
    const node = this.#walk(path, true).at(-1)?.node;
    if (node?.type !== "directory") throw new FileError("Not a directory");
    return [...node.children.keys()].sort();
  }

  /** The path without links, `.` and `..`. */
  resolve(path: string, followLast: boolean): string {
    return `/${this.#walk(path, followLast)
      .slice(1)
      .map(({ name }) => name)
      .join("/")}`;
  }

  /** Shows other files, or what is at `subPath` in them, at a path, which is made when it is missing. */
  mount(path: string, files: MemoryFiles, options: { nowMs: number; readOnly: boolean; subPath?: string }): void {
    const node = files.#walk(options.subPath ?? "/", true).at(-1)?.node;
    if (node === undefined) throw new FileError("No such file or directory");
    const old = this.find(path);
    if (old === undefined && node.type === "directory") this.makeDirectory(path, options.nowMs, true);
    else if (old === undefined) {
      this.makeDirectory(parentOf(path), options.nowMs, true);
      this.write(path, Buffer.alloc(0), options.nowMs);
    }
    const places = this.#walk(path, true);
    const place = places.at(-1);
    const raw = places.at(-2)?.node?.children.get(place?.name ?? "");
    if (raw !== undefined) raw.mounted = { node, files, readOnly: options.readOnly };
  }

  /** Each folder on the way, and what the path leads to. Only the last may be missing, or all behind a missing one. */
  #walk(path: string, followLast: boolean): Place[] {
    if (path.length > PATH_BYTES_MAX) throw new FileError("File name too long");
    const places: Place[] = [{ name: "", node: this.#root, files: this, readOnly: false }];
    const left = partsOf(path).reverse();
    let links = 0;
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      if (part === "..") {
        if (places.length > 1) places.pop();
        continue;
      }
      const above = places.at(-1);
      if (above === undefined) break;
      const raw = above.node?.children.get(part);
      const { mounted } = raw ?? {};
      const node = mounted?.node ?? raw;
      if (node?.type !== "link" || (left.length === 0 && !followLast)) {
        const { files, readOnly } = mounted ?? above;
        places.push({ name: part, node, files, readOnly: readOnly || above.readOnly });
        continue;
      }
      if (++links > LINKS_MAX) throw new FileError("Too many levels of symbolic links");
      const target = node.data.toString();
      if (target.startsWith("/")) places.length = 1;
      left.push(...partsOf(target).reverse());
    }
    return places;
  }

  #add(places: readonly Place[], node: TreeNode): void {
    const [above, place] = [places.at(-2), places.at(-1)];
    if (above?.node === undefined || place === undefined) throw new FileError("No such file or directory");
    if (above.node.type !== "directory") throw new FileError("Not a directory");
    if (Buffer.byteLength(place.name) > NAME_BYTES_MAX) throw new FileError("File name too long");
    if (above.readOnly) throw new FileError("Read-only file system");
    const { files } = above;
    if (files.#count >= FILES_MAX) throw new FileError("No space left on device");
    files.#take(costOf(place.name, node));
    files.#count++;
    above.node.children.set(place.name, node);
  }

  #forget(name: string, node: TreeNode): void {
    const left: [string, TreeNode][] = [[name, node]];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      this.#allowance.take(-costOf(...next));
      this.#count--;
      for (const child of next[1].children) left.push(child);
    }
  }

  #take(bytes: number): void {
    if (!this.#allowance.take(bytes)) throw new FileError("No space left on device");
  }
}

function costOf(name: string, node: TreeNode): number {
  return FILE_OVERHEAD_BYTES + name.length + node.data.length;
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
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

/** A path without slashes at its end, and without those before it when `relative` is set. */
export function trimSlashes(path: string, relative: boolean): string {
  let [start, end] = [0, path.length];
  while (end > 0 && path[end - 1] === "/") end--;
  while (relative && start < end && path[start] === "/") start++;
  return path.slice(start, end);
}

/** The last name of a path. */
export function lastName(path: string): string {
  const trimmed = trimSlashes(path, false);
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}
