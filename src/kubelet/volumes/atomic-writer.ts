import { posix } from "node:path";
import { aboutPath, errnoOf, type HostFiles } from "#base/host-files.ts";
import type { VolumeFile, VolumeFiles } from "../inside/volume-files.ts";
import { cleanPayload } from "./payload.ts";

const { join, dirname } = posix;

/** What {@link writeAtomically} uses of the machine. */
export type AtomicFiles = Pick<
  HostFiles,
  | "chmod"
  | "chown"
  | "lstat"
  | "mkdir"
  | "mkdtemp"
  | "readFile"
  | "readdir"
  | "readlink"
  | "rename"
  | "rm"
  | "symlink"
  | "unlink"
  | "writeFile"
>;

const DATA = "..data";
const NEW_DATA = "..data_tmp";

/**
 * Puts files into a volume so that all of them change at once (upstream's `AtomicWriter`): they are in a folder of their own,
 * `..data` is a link to it that is exchanged in one step, and what is seen are links through `..data`. Nothing is written
 * when nothing changed. `setPermissions` is called before the new files are seen. Whether something was written.
 */
export async function writeAtomically(
  files: AtomicFiles,
  target: string,
  unchecked: VolumeFiles,
  { nowMs, setPermissions }: { readonly nowMs: number; readonly setPermissions: () => Promise<void> },
): Promise<boolean> {
  const payload = cleanPayload(unchecked);
  const data = join(target, DATA);
  const before = await files.readlink(data).catch(undefinedIfMissing);
  const stale = before === undefined ? [] : await stalePaths(files, join(target, before), payload);
  if (before !== undefined && stale.length === 0 && (await isWritten(files, join(target, before), payload))) return false;

  const folder = await files.mkdtemp(join(target, `..${stamp(nowMs)}.`));
  try {
    await files.chmod(folder, 0o755);
    for (const [path, file] of payload) await writeFile(files, join(folder, path), file);
    await setPermissions();
    // Left by a kubelet that ended between the two.
    await files.rm(join(target, NEW_DATA), { force: true });
    await files.symlink(posix.basename(folder), join(target, NEW_DATA));
    await files.rename(join(target, NEW_DATA), data);
  } catch (error) {
    await files.rm(folder, { recursive: true, force: true });
    throw error;
  }
  for (const name of topNames(payload)) {
    await files.symlink(`${DATA}/${name}`, join(target, name)).catch((error: unknown) => {
      if (errnoOf(error) !== "EEXIST") throw error;
    });
  }
  for (const path of stale) if (!path.includes("/")) await files.unlink(join(target, path)).catch(undefinedIfMissing);
  if (before !== undefined) await files.rm(join(target, before), { recursive: true, force: true });
  return true;
}

/** As Go's layout `2006_01_02_15_04_05`. */
function stamp(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replace(/[-:T]/g, "_");
}

async function writeFile(files: AtomicFiles, path: string, { data, mode, owner }: VolumeFile): Promise<void> {
  await files.mkdir(dirname(path), { recursive: true, mode: 0o777 });
  await files.writeFile(path, data, { mode }).catch((error: unknown) => {
    throw aboutPath(error, path);
  });
  // What was asked for counts, whatever the umask is.
  await files.chmod(path, mode);
  if (owner !== undefined) await files.chown(path, owner, -1);
}

async function isWritten(files: AtomicFiles, folder: string, payload: VolumeFiles): Promise<boolean> {
  for (const [path, { data }] of payload) {
    const written = await files.readFile(join(folder, path)).catch(undefinedIfMissing);
    if (written === undefined || !data.equals(written)) return false;
  }
  return true;
}

/** Paths that were written before and are not in the payload any more. */
async function stalePaths(files: AtomicFiles, folder: string, payload: VolumeFiles): Promise<readonly string[]> {
  const kept = new Set<string>();
  for (const path of payload.keys()) for (let part = path; part !== "."; part = dirname(part)) kept.add(part);
  const entries = await files.readdir(folder, { recursive: true, withFileTypes: true }).catch(undefinedIfMissing);
  const paths = (entries ?? []).map((entry) => posix.relative(folder, join(entry.parentPath ?? entry.path, entry.name)));
  return paths.filter((path) => !kept.has(path));
}

function topNames(payload: VolumeFiles): ReadonlySet<string> {
  return new Set([...payload.keys()].map((path) => path.split("/")[0] ?? path));
}

function undefinedIfMissing(error: unknown): undefined {
  if (errnoOf(error) !== "ENOENT") throw error;
  return undefined;
}
