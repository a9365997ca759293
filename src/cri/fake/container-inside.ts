import type { MemoryFiles } from "./memory-files.ts";

/** What a simulated container finds inside beside what every one has. Asked for when somebody first looks. */
export interface ContainerInside {
  /** Variables that those of the container's spec stand above. */
  readonly variables: () => Promise<ReadonlyMap<string, string>>;
  /** Puts volumes and files in their places, and later what has changed. `words`: all that will be run, if that is known. */
  readonly furnish: (files: MemoryFiles, words: string | undefined) => Promise<void>;
}
