import { readFile } from "node:fs/promises";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";

/** How often a file is looked at. Upstream is told by the system, and looks each minute. */
export const RELOAD_PERIOD_MS = 10_000;

/** A configuration that may change while the server runs. */
export interface ReloadedFile {
  readonly path: string;
  /** What it says now. */
  readonly text: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Hands on what a file says whenever that has changed. What cannot be read or used (`use` rejects) is told in the log, and
 * tried again only when it has changed once more: the last configuration holds on. Returns what ends it.
 */
export function reloadFile({ path, text, clock, logger }: ReloadedFile, use: (text: string) => Promise<void>): () => void {
  let known = text;
  let isBusy = false;
  const look = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    try {
      const now = await readFile(path, "utf8");
      if (now === known) return;
      known = now;
      await use(now);
      logger.info({ file: path }, "the changed configuration holds from now on");
    } catch (error) {
      logger.error({ err: error, file: path }, "the changed configuration cannot be used; the last one holds on");
    } finally {
      isBusy = false;
    }
  };
  const timer = clock.setInterval(() => void look(), RELOAD_PERIOD_MS, { unref: true });
  return () => timer.clear();
}
