import type { RuntimeCondition, RuntimeStatus } from "#cri/runtime-status.ts";

/** How long a runtime may not have answered before it counts as down, in milliseconds (upstream's `maxWaitForContainerRuntime`). */
export const RUNTIME_SILENCE_MAX_MS = 30_000;

const DOWN = "container runtime is down";

/** What is known of the node's runtime. */
export interface RuntimeView {
  /** Its last answer. */
  readonly status: RuntimeStatus | undefined;
  /** When that came, in milliseconds by `Clock.elapsed`; undefined before the first. */
  readonly answeredAtMs: number | undefined;
}

/** Why the runtime lets no pods run, in upstream's words of `runtimeState`; none when it does. */
export function runtimeProblems(view: RuntimeView, elapsedMs: number): readonly string[] {
  const errors = runtimeErrors(view, elapsedMs);
  if (view.status === undefined || errors.includes(DOWN)) return errors;
  return [...errors, ...problemOf(view.status, "NetworkReady", "container runtime network not ready")];
}

/** Those of {@link runtimeProblems} that stop pods of the host's network too. */
export function runtimeErrors({ status, answeredAtMs }: RuntimeView, elapsedMs: number): readonly string[] {
  if (answeredAtMs === undefined || status === undefined) {
    return ["container runtime status check may not have completed yet"];
  }
  if (elapsedMs - answeredAtMs >= RUNTIME_SILENCE_MAX_MS) return [DOWN];
  return problemOf(status, "RuntimeReady", "container runtime not ready");
}

function problemOf({ conditions }: RuntimeStatus, type: string, words: string): readonly string[] {
  const condition = conditions.find((one) => one.type === type);
  return condition?.status === true ? [] : [`${words}: ${condition === undefined ? "<nil>" : textOf(condition)}`];
}

function textOf({ type, status, reason, message }: RuntimeCondition): string {
  return `${type}=${status} reason:${reason} message:${message}`;
}
