import type { LmdbFiles } from "./lmdb-files.ts";
import type { LogGroup } from "./log-group.ts";
import { applyStep } from "./log-step.ts";
import type { WriteAheadLog } from "./write-ahead-log.ts";

/** Steps that a start hands to LMDB in one transaction. */
const TRANSACTION_STEPS = 4096;

/** Brings what a process that ended suddenly has left in the log into LMDB. Throws `Unavailable` where the log is damaged. */
export async function recover(files: LmdbFiles, log: WriteAheadLog, id: Buffer): Promise<void> {
  const groups = await log.begin(id, files.appliedGroup());
  while (groups.length > 0) await applyGroups(files, takeGroups(groups, TRANSACTION_STEPS));
  log.release(files.appliedGroup());
}

/** Takes groups from the front until they have so many steps. */
export function takeGroups(groups: LogGroup[], steps: number): LogGroup[] {
  let taken = 0;
  let end = 0;
  while (end < groups.length && taken < steps) taken += groups[end++]?.steps.length ?? 0;
  return groups.splice(0, end);
}

/** Makes the steps of consecutive groups in the tables, in one transaction, which also notes how far the log has been applied. */
export async function applyGroups(files: LmdbFiles, groups: readonly LogGroup[]): Promise<void> {
  await files.change(() => {
    for (const { steps } of groups) for (const step of steps) applyStep(files, step);
    const last = groups.at(-1);
    if (last !== undefined) void files.meta.put("appliedGroup", last.sequence);
  });
}
