import { ownValue } from "#base/own-value.ts";

/** A member of an archive. */
export interface TarMember {
  readonly name: string;
  readonly type: "file" | "directory" | "link";
  readonly mode: number;
  readonly mtimeMs: number;
  readonly data: Buffer;
}

const BLOCK = 512;
/** The longest that names before a member may be, in bytes; the last time that a date can tell. */
const NAMES_BYTES_MAX: number = 64 * 1024;
const TIME_MS_MAX = 8.64e15;
const NAME_BYTES = 100;
const TYPES: Readonly<Record<string, TarMember["type"]>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "5": "directory",
  "2": "link",
};
const TYPE_FLAGS = { file: "0", directory: "5", link: "2" } as const;
/** Two empty blocks. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

/** The bytes of a member; a name that is too long goes before it, as GNU's tar does it. */
export function encodeMember(member: TarMember): Buffer {
  const name = Buffer.from(member.type === "directory" ? `${member.name}/` : member.name);
  const parts: Buffer[] = [];
  if (name.length > NAME_BYTES) {
    const long = Buffer.concat([name, Buffer.alloc(1)]);
    parts.push(
      head({ name: Buffer.from("././@LongLink"), flag: "L", mode: 0, mtimeMs: 0, size: long.length, target: "" }),
      padded(long),
    );
  }
  const isLink = member.type === "link";
  const size = member.type === "file" ? member.data.length : 0;
  const target = isLink ? member.data.toString() : "";
  parts.push(head({ name, flag: TYPE_FLAGS[member.type], mode: member.mode, mtimeMs: member.mtimeMs, size, target }));
  if (size > 0) parts.push(padded(member.data));
  return Buffer.concat(parts);
}

interface Head {
  readonly name: Buffer;
  readonly flag: string;
  readonly mode: number;
  readonly mtimeMs: number;
  readonly size: number;
  readonly target: string;
}

function head({ name, flag, mode, mtimeMs, size, target }: Head): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  };
  name.copy(block, 0, 0, NAME_BYTES);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(Math.floor(mtimeMs / 1000), 136, 12);
  block.write("        ", 148, "latin1");
  block.write(flag, 156, "latin1");
  block.write(target.slice(0, NAME_BYTES), 157, "utf8");
  block.write("ustar\x0000root", 257, "latin1");
  block.write("root", 297, "latin1");
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)]);
}

/** The members of an archive. Long names of GNU and of POSIX are understood. Throws when it is cut off or damaged. */
export function* decodeMembers(archive: Buffer): Generator<TarMember> {
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const block = archive.subarray(at, at + BLOCK);
    if (block.every((byte) => byte === 0)) return;
    const size = number(block, 124, 12);
    const flag = block.toString("latin1", 156, 157);
    const data = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (data.length < size) throw new Error("short read");
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if ((flag === "L" || flag === "x") && size > NAMES_BYTES_MAX) throw new Error("name too long");
    if (flag === "L") longName = text(data, 0, data.length);
    else if (flag === "x") longName = posixPath(data.toString("utf8")) ?? longName;
    const type = ownValue(TYPES, flag);
    if (type === undefined) continue;
    const prefix = block.toString("latin1", 257, 262) === "ustar" ? text(block, 345, 155) : "";
    const own = text(block, 0, NAME_BYTES);
    const name = longName ?? (prefix === "" ? own : `${prefix}/${own}`);
    longName = undefined;
    const content =
      type === "link" ? Buffer.from(text(block, 157, NAME_BYTES)) : type === "file" ? Buffer.from(data) : Buffer.alloc(0);
    yield {
      name,
      type,
      mode: number(block, 100, 8) & 0o777,
      mtimeMs: Math.min(TIME_MS_MAX, number(block, 136, 12) * 1000),
      data: content,
    };
  }
}

function text(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString("utf8", at, end < 0 || end > at + length ? at + length : end);
}

/** The name among POSIX's records, which are lines such as `17 path=some/name`. */
function posixPath(records: string): string | undefined {
  for (const line of records.split("\n")) {
    const at = line.indexOf(" path=");
    if (at > 0) return line.slice(at + " path=".length);
  }
  return undefined;
}

/** Octal digits; a number that is too large for them is binary. */
function number(block: Buffer, at: number, length: number): number {
  // Only sizes and times have room for a binary number.
  if ((block[at] ?? 0) >= 0x80) return Number(block.readBigUInt64BE(at + length - 8) & (2n ** 53n - 1n));
  const digits = text(block, at, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw new Error("invalid tar magic");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}
