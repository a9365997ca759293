import type { NodeCondition } from "#api/generated/core/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { AmountTexts } from "../configuration/kubelet-configuration.ts";

/** What a node runs short of. */
export interface Pressures {
  readonly memory: boolean;
  readonly disk: boolean;
  readonly pid: boolean;
}

/** What conditions are made of. */
export interface ConditionFacts {
  readonly nowMs: number;
  readonly pressures: Pressures;
  /** Why pods cannot be run; none when they can. */
  readonly problems: readonly string[];
  readonly capacity: AmountTexts;
  /** Resources without whose capacity a node is not ready. */
  readonly required: readonly string[];
}

/** The conditions of a node, and what of them is worth an event. */
export interface ConditionChange {
  readonly conditions: readonly NodeCondition[];
  /** Reasons of events, each told as `Node NAME status is now: REASON`. */
  readonly events: readonly string[];
}

interface Finding {
  readonly type: string;
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
  /** The event when it becomes so. */
  readonly event: string;
}

/**
 * A node's conditions from those it had (upstream's setters of `MemoryPressure`, `DiskPressure`, `PIDPressure` and `Ready`):
 * the time of a change is kept until the next; conditions of others stay.
 */
export function nextConditions(before: readonly NodeCondition[], facts: ConditionFacts): ConditionChange {
  const now = formatTime(facts.nowMs);
  const conditions = [...before];
  const events: string[] = [];
  for (const { event, ...finding } of findings(facts)) {
    const at = conditions.findIndex(({ type }) => type === finding.type);
    const old = conditions[at];
    const changed = old?.status !== finding.status;
    // Pressure keeps its words while it lasts; readiness says anew why.
    const words = changed || finding.type === "Ready" ? finding : { ...finding, reason: old?.reason, message: old?.message };
    const next = {
      ...words,
      lastHeartbeatTime: now,
      lastTransitionTime: changed ? now : (old?.lastTransitionTime ?? now),
    } as NodeCondition;
    if (at < 0) conditions.push(next);
    else conditions[at] = next;
    // A node that is new has not become unready.
    if (changed && (old !== undefined || event !== "NodeNotReady")) events.push(event);
  }
  return { conditions, events };
}

function findings({ pressures, problems, capacity, required }: ConditionFacts): readonly Finding[] {
  return [
    pressures.memory
      ? pressure("MemoryPressure", "InsufficientMemory", "has insufficient memory available", true)
      : pressure("MemoryPressure", "SufficientMemory", "has sufficient memory available", false),
    pressures.disk
      ? pressure("DiskPressure", "DiskPressure", "has disk pressure", true)
      : pressure("DiskPressure", "NoDiskPressure", "has no disk pressure", false),
    pressures.pid
      ? pressure("PIDPressure", "InsufficientPID", "has insufficient PID available", true)
      : pressure("PIDPressure", "SufficientPID", "has sufficient PID available", false),
    readiness(problems, capacity, required),
  ];
}

function pressure(type: string, has: string, words: string, status: boolean): Finding {
  return {
    type,
    status: status ? "True" : "False",
    reason: `KubeletHas${has}`,
    message: `kubelet ${words}`,
    event: `NodeHas${has}`,
  };
}

function readiness(problems: readonly string[], capacity: AmountTexts, required: readonly string[]): Finding {
  const missing = required.filter((name) => capacity[name] === undefined);
  const all = missing.length === 0 ? problems : [...problems, `missing node capacity for resources: ${missing.join(", ")}`];
  if (all.length === 0) {
    const message = "kubelet is posting ready status";
    return { type: "Ready", status: "True", reason: "KubeletReady", message, event: "NodeReady" };
  }
  const message = all.length === 1 ? String(all[0]) : `[${all.join(", ")}]`;
  return { type: "Ready", status: "False", reason: "KubeletNotReady", message, event: "NodeNotReady" };
}
