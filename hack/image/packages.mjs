import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Kinds of files that Node loads. */
const LOADED = /\.([cm]?js|json|node)$/;
/** Folders of packages that nothing loads at run time. */
const IDLE = /(^|\/)(tests?|docs?|examples?|bench(marks?)?|dict|dependencies|fixtures?|\.github)(\/|$)/;

/**
 * Files of the named packages and of all that they depend on, as Node's own search for them finds them from `root`: only those that
 * Node loads, and of native ones those made for the running Node on glibc.
 * @returns {import("./tar.mjs").Entry[]} With paths that begin by `node_modules`.
 */
export function packageEntries(root, names) {
  const folders = new Set();
  for (const name of names) collect(name, root, folders);
  return [...folders].flatMap((folder) =>
    filesBelow(folder)
      .filter((path) => isNeeded(relative(folder, path)))
      .map((path) => ({ path: relative(root, path), data: readFileSync(path), mode: 0o644 })),
  );
}

function isNeeded(path) {
  if (!LOADED.test(path) || IDLE.test(dirname(path)) || path.includes("node_modules/")) return false;
  if (!path.endsWith(".node")) return true;
  const forOther = /abi(\d+)/.exec(path);
  return !path.includes("musl") && forOther?.[1] === process.versions.modules;
}

function collect(name, from, folders) {
  const folder = find(name, from);
  // Packages for other systems are not installed.
  if (folder === undefined || folders.has(folder)) return;
  folders.add(folder);
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  for (const other of Object.keys({ ...dependencies, ...optionalDependencies })) collect(other, folder, folders);
}

function find(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (statSync(join(candidate, "package.json"), { throwIfNoEntry: false }) !== undefined) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
  });
}
