import type { FlowSchemaCondition } from "#api/generated/flowcontrol/v1.ts";

/**
 * The condition that says whether a FlowSchema's priority level exists (KEP-1040); the very `old` one when it says so already.
 * `now` is the time of a change.
 */
export function danglingCondition(
  level: string,
  exists: boolean,
  old: FlowSchemaCondition | undefined,
  now: string,
): FlowSchemaCondition {
  const references = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
  const status = exists ? "False" : "True";
  const reason = exists ? "Found" : "NotFound";
  const message = exists ? `${references} and it exists` : `${references} but there is no such object`;
  if (old?.status === status && old.reason === reason && old.message === message) return old;
  const lastTransitionTime = old?.status === status && old.lastTransitionTime ? old.lastTransitionTime : now;
  return { type: "Dangling", status, lastTransitionTime, reason, message };
}
