import type { CgroupName } from "./cgroup-names.ts";
import type { CgroupSettings } from "./cgroup-settings.ts";

/** Makes, sets and removes cgroups of the machine (upstream's `CgroupManager`). */
export interface CgroupDriver {
  /** Makes a cgroup where it is not there, with those above it, and sets it. */
  apply(name: CgroupName, settings: CgroupSettings): Promise<void>;
  /** Removes it with all below it; nothing when it is not there. Rejects while processes are in it. */
  remove(name: CgroupName): Promise<void>;
  /** Whether it is there. */
  exists(name: CgroupName): Promise<boolean>;
  /** The last parts of the names of those directly below it. */
  children(name: CgroupName): Promise<readonly string[]>;
  /** What container runtimes are told as `cgroupParent`. */
  parentText(name: CgroupName): string;
}

/** Cgroups cannot be written; the message says what to do. */
export class CgroupError extends Error {
  override readonly name = "CgroupError";
}
