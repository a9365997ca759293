/** What a plugin says of a pod, or of a pod on a node. Codes of upstream's `fwk.Code`. */
export type StatusCode =
  | "Success"
  /** Something went wrong: the pod is tried again with backoff. */
  | "Error"
  /** No, but evicting pods might help. */
  | "Unschedulable"
  /** No, and evicting pods would not help. */
  | "UnschedulableAndUnresolvable"
  /** The plugin approves later. */
  | "Wait"
  /** The plugin has nothing to say of this pod: its later steps in the cycle are left out. */
  | "Skip";

/** A verdict. Plugins return one; they never throw for a pod that does not fit. */
export interface Status {
  readonly code: StatusCode;
  /** Shown to users, word for word upstream's. */
  readonly reasons: readonly string[];
}

/** The verdict of a plugin that has no objection; compared by identity. */
export const SUCCESS: Status = { code: "Success", reasons: [] };
/** The verdict of a plugin that has nothing to say. */
export const SKIP: Status = { code: "Skip", reasons: [] };

/** No, but evicting pods might help. */
export function unschedulable(...reasons: readonly string[]): Status {
  return { code: "Unschedulable", reasons };
}

/** No, and evicting pods would not help. */
export function unresolvable(...reasons: readonly string[]): Status {
  return { code: "UnschedulableAndUnresolvable", reasons };
}

/** The attempt failed. */
export function errorStatus(reason: string): Status {
  return { code: "Error", reasons: [reason] };
}

/** The pod does not fit, as opposed to: the attempt failed. */
export function isRejected(status: Status): boolean {
  return status.code === "Unschedulable" || status.code === "UnschedulableAndUnresolvable";
}

/** All reasons in one text. */
export function messageOf(status: Status): string {
  return status.reasons.join(", ");
}
