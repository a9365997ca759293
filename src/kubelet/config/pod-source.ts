import type { Pod } from "#api/generated/core/v1.ts";

/** Takes all pods of a source, whenever they may have changed. */
export type TakePods = (pods: readonly Pod[]) => void;

/** Something that pods come from. */
export interface RunningSource {
  stop(): void;
}
