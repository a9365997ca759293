// What a run makes on its machine, so that nothing of it stays however the run ends: folders, and processes of its own.
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Folders are named by it and by the process that made them. */
const NAME = "kybern-bench-";
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
/** How long what needs time to close may take once a signal has come, in milliseconds. */
const CLOSING_MS = 15_000;
/** A process that was killed may write a last time while its folder is taken away. */
const REMOVAL = { recursive: true, force: true, maxRetries: 20, retryDelay: 50 };

const folders = new Set();
const children = new Set();
const closers = new Set();
let isEnding = false;

/** A new folder in the system's folder for such, or in `within`. Gone with the process, if {@link removeFolder} was not called. */
export function temporaryFolder(kind = "", within = tmpdir()) {
  const folder = mkdtempSync(join(within, `${NAME}${process.pid}-${kind}`));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder) {
  rmSync(folder, REMOVAL);
  folders.delete(folder);
}

/** A process that ends with this one at the latest. Gives it back. */
export function ours(child) {
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

/** Calls `close` if the run is broken off. Gives what takes that back. */
export function closedAtEnd(close) {
  closers.add(close);
  return () => closers.delete(close);
}

/** Never resolves once a signal has come: what was measured until then is none of the results. */
export function untilEnded() {
  return isEnding ? new Promise(() => {}) : Promise.resolve();
}

/** Takes away what earlier runs left that nobody could end in order, and leaves nothing of this one. */
export function leaveNothing() {
  for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith(NAME))) {
    const [, pid] = /^(\d+)-/.exec(name.slice(NAME.length)) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(tmpdir(), name), REMOVAL);
  }
  process.once("exit", () => {
    for (const child of children) child.kill("SIGKILL");
    for (const folder of folders) rmSync(folder, REMOVAL);
  });
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      isEnding = true;
      setTimeout(() => process.exit(code), CLOSING_MS);
      void Promise.allSettled([...closers].reverse().map((close) => close())).then(() => process.exit(code));
    });
  }
}
