import { randomUUID } from "node:crypto";
import { link, readFile, rename, unlink, writeFile } from "node:fs/promises";

/** Who holds a lock: the process, and on Linux when it began and in which boot, since process ids are used again. */
interface Holder {
  readonly pid: number;
  readonly startTime: string;
  readonly boot: string;
}

/** Thrown when another live process holds the lock. */
export class FileLockHeldError extends Error {
  override readonly name = "FileLockHeldError";
  readonly pid: number;
  constructor(path: string, pid: number) {
    super(`${path} is held by process ${pid}`);
    this.pid = pid;
  }
}

/** A file that at most one live process holds. A holder that died, however suddenly, does not keep it. */
export interface FileLock {
  release(): Promise<void>;
}

const held = new Set<string>();
const ATTEMPTS_MAX = 5;

/** Takes the lock or throws {@link FileLockHeldError}. */
export async function acquireFileLock(path: string): Promise<FileLock> {
  if (held.has(path)) throw new FileLockHeldError(path, process.pid);
  const content = JSON.stringify(await describe(process.pid));
  const own = `${path}.${randomUUID()}`;
  await writeFile(own, content);
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      try {
        // A link appears whole, or fails when the name is taken.
        await link(own, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        await removeIfStale(path);
        continue;
      }
      held.add(path);
      return {
        async release(): Promise<void> {
          if (!held.delete(path)) return;
          await unlink(path).catch(() => undefined);
        },
      };
    }
    throw new Error(`cannot take ${path}`);
  } finally {
    await unlink(own).catch(() => undefined);
  }
}

async function removeIfStale(path: string): Promise<void> {
  const content = await readFile(path, "utf8").catch(() => undefined);
  if (content === undefined) return;
  const pid = await livePid(content);
  if (pid !== undefined) throw new FileLockHeldError(path, pid);
  // Moved aside and looked at again: another process may have replaced it in between.
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, "utf8")) !== content) await link(aside, path).catch(() => undefined);
  await unlink(aside);
}

/** The holder's process id when it still runs. */
async function livePid(content: string): Promise<number | undefined> {
  let holder: Holder;
  try {
    holder = JSON.parse(content) as Holder;
  } catch {
    return undefined;
  }
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
  }
  const now = await describe(holder.pid);
  return now.startTime === holder.startTime && now.boot === holder.boot ? holder.pid : undefined;
}

async function describe(pid: number): Promise<Holder> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  // The command's name may hold spaces and parentheses; field 22 is counted from behind it.
  const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  return { pid, startTime, boot: boot.trim() };
}
