import { watch } from "node:fs";

/**
 * Tells of changes in a folder, or of a file, until the returned function is called. Where that cannot be had, `onError` is
 * told, at most once, and nothing more comes: who watches has to look by itself from time to time.
 */
export type FolderWatcher = (path: string, onChange: () => void, onError: (error: Error) => void) => () => void;

/** By what the machine's kernel tells. Does not keep the process alive. */
export const realFolderWatcher: FolderWatcher = (path, onChange, onError) => {
  try {
    const watcher = watch(path, { persistent: false }, () => onChange());
    let failed = false;
    watcher.on("error", (error) => {
      if (failed) return;
      failed = true;
      watcher.close();
      onError(error);
    });
    return () => watcher.close();
  } catch (error) {
    onError(error as Error);
    return () => {};
  }
};
