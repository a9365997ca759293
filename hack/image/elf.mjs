import { execFileSync } from "node:child_process";

const PROGRAM_LOADED = 1;

/** @param {Buffer} bytes */
export function isElf(bytes) {
  return bytes.subarray(0, 4).equals(Buffer.from("\x7fELF", "latin1"));
}

/**
 * A program without what is only for linkers and debuggers: whatever stands behind the last byte that is loaded, the table of
 * sections among it. Only 64-bit little-endian files are shortened; what has come behind the sections by other means is kept.
 * @param {Buffer} bytes
 */
export function stripElf(bytes) {
  const isKnown = bytes[4] === 2 && bytes[5] === 1;
  if (!isKnown) return bytes;
  const [tableAt, entrySize, count] = [Number(bytes.readBigUInt64LE(32)), bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  const [sectionsAt, sectionSize, sections] = [Number(bytes.readBigUInt64LE(40)), bytes.readUInt16LE(58), bytes.readUInt16LE(60)];
  if (sectionsAt === 0 || sectionsAt + sectionSize * sections !== bytes.length) return bytes;
  let end = tableAt + entrySize * count;
  for (let at = tableAt; at < tableAt + entrySize * count; at += entrySize) {
    const [offset, size] = [Number(bytes.readBigUInt64LE(at + 8)), Number(bytes.readBigUInt64LE(at + 32))];
    if (bytes.readUInt32LE(at) === PROGRAM_LOADED || size > 0) end = Math.max(end, offset + size);
  }
  const stripped = Buffer.from(bytes.subarray(0, end));
  stripped.writeBigUInt64LE(0n, 40);
  stripped.fill(0, 58, 64);
  return stripped;
}

/**
 * Paths of the libraries that a program or library is linked to, the loader among them, as the machine's own loader finds them.
 * None for what is linked statically.
 */
export function librariesOf(path) {
  let text;
  try {
    text = execFileSync("ldd", [path], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    if (`${error.stderr}${error.stdout}`.includes("not a dynamic executable")) return [];
    throw new Error(`ldd ${path}: ${error.stderr ?? error.message}`);
  }
  const absent = /^\s*(\S+) => not found/m.exec(text);
  if (absent) throw new Error(`${path} needs ${absent[1]}, which this machine does not have`);
  return [...text.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map(([, library]) => library);
}
