import { readFile } from "node:fs/promises";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import { RELOAD_PERIOD_MS } from "#kube-apiserver/reloaded-file.ts";

/**
 * Calls `use` whenever one of some files says something else than before, with no two calls at a time. What cannot be read
 * or used (`use` rejects) is told in the log, and tried again when something has changed once more: a certificate is there
 * some moments before its key. Empty paths are left out. Returns what ends it.
 */
export function watchFiles(
  paths: readonly string[],
  {
    clock,
    logger,
    read = readText,
  }: { readonly clock: Clock; readonly logger: Logger; readonly read?: (path: string) => Promise<string> },
  use: () => Promise<void>,
): () => void {
  const files = paths.filter((path) => path !== "");
  let isBusy = false;
  let known: string | undefined;
  const look = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    try {
      const now = JSON.stringify(await Promise.all(files.map(read)));
      const isFirst = known === undefined;
      if (now === known) return;
      known = now;
      if (isFirst) return;
      await use();
      logger.info({ files }, "the changed certificates are in use");
    } catch (error) {
      logger.error({ err: error, files }, "the changed certificates cannot be used; the last ones stay");
    } finally {
      isBusy = false;
    }
  };
  if (files.length === 0) return () => {};
  void look();
  const timer = clock.setInterval(() => void look(), RELOAD_PERIOD_MS, { unref: true });
  return () => timer.clear();
}

function readText(path: string): Promise<string> {
  return readFile(path, "utf8");
}
