/**
 * @typedef {object} Entry What stands in an archive.
 * @property {string} path Without a slash at its beginning.
 * @property {Buffer} [data] Of a file.
 * @property {string} [target] Of a symbolic link.
 * @property {number} [mode] Of a file or folder; 0755 where it is not said.
 */

const BLOCK = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/**
 * A POSIX archive (ustar) of `entries`, sorted by path, with the folders above them. All belong to root and were changed at the
 * epoch, so that the same content is the same bytes.
 * @param {readonly Entry[]} entries
 */
export function tarArchive(entries) {
  const byPath = new Map();
  for (const entry of entries) {
    const parts = entry.path.split("/");
    for (let end = 1; end < parts.length; end++) {
      const folder = parts.slice(0, end).join("/");
      if (!byPath.has(folder)) byPath.set(folder, { path: folder });
    }
    byPath.set(entry.path, entry);
  }
  const sorted = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return Buffer.concat([...sorted.flatMap(blocks), Buffer.alloc(2 * BLOCK)]);
}

/** @param {Entry} entry */
function blocks({ path, data, target, mode = target === undefined ? 0o755 : 0o777 }) {
  const type = data !== undefined ? "0" : target !== undefined ? "2" : "5";
  const header = Buffer.alloc(BLOCK);
  const [prefix, name] = split(type === "5" ? `${path}/` : path);
  header.write(name, 0);
  header.write(octal(mode, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(data?.length ?? 0, 12), 124);
  header.write(octal(0, 12), 136);
  header.write(type, 156);
  header.write(target ?? "", 157);
  header.write("ustar\0" + "00", 257);
  header.write(prefix, 345);
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return data === undefined ? [header] : [header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)];
}

function octal(value, length) {
  return `${value.toString(8).padStart(length - 1, "0")}\0`;
}

/** Long paths stand in two fields, cut at a slash. */
function split(path) {
  if (Buffer.byteLength(path) <= NAME_BYTES) return ["", path];
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(prefix) <= PREFIX_BYTES && name !== "" && Buffer.byteLength(name) <= NAME_BYTES) return [prefix, name];
  }
  throw new Error(`${path} is too long for an archive`);
}
