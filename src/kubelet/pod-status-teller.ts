import type { Pod, PodCondition, PodStatus } from "#api/generated/core/v1.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";
import { type PodStatusSituation, podStatus } from "./pod-status.ts";
import type { PodStatusWriter } from "./pod-status-writer.ts";
import { staleConditions } from "./status-manager.ts";

/** What a {@link PodStatusTeller} is told of a pod each time. */
export type ToldSituation = Omit<PodStatusSituation, "previousConditions">;

/** Tells the status of one pod: each only once, unless the API does not show it. */
export class PodStatusTeller {
  readonly #writer: PodStatusWriter;
  #told = "";
  #status: PodStatus | undefined;
  #conditions: readonly PodCondition[] = [];

  constructor(writer: PodStatusWriter) {
    this.#writer = writer;
  }

  /** The pod with the status that was told last, which the API may not show yet. */
  applyTo(pod: Pod): Pod {
    return this.#status === undefined ? pod : { ...pod, status: { ...pod.status, ...this.#status } };
  }

  /** The API shows the pod so: what it shows although it was taken back, or shows no more, is told again. */
  seen(pod: Pod): void {
    if (staleConditions(pod, this.#conditions).length > 0 || isMarkedUnready(pod, this.#conditions)) this.#told = "";
  }

  /** Tells a status that does not come from containers. */
  tellOnly(pod: Pod, status: PodStatus): void {
    this.#status = status;
    this.#writer.write(pod, status, false);
  }

  /** With `final` nothing of the pod runs any more, and it may be removed. */
  tell(situation: ToldSituation, final: boolean): void {
    const { pod, observed } = situation;
    const previousConditions = this.#conditions.length > 0 ? this.#conditions : (pod.status?.conditions ?? []);
    const status = podStatus({ ...situation, previousConditions });
    this.#conditions = status.conditions ?? [];
    this.#status = status;
    // A pod that had ended before this node knew it keeps the status it had.
    const told = isPodTerminal(pod) && observed.sandbox === undefined ? { phase: pod.status?.phase ?? "" } : status;
    const text = JSON.stringify(told);
    if (text === this.#told && !final) return;
    this.#told = text;
    this.#writer.write(pod, told, final);
  }
}

/**
 * Whether others have taken a pod's readiness back since, as the controllers do with the pods of a node that is not ready:
 * nodes give a reason for it, or have containers that are not ready.
 */
function isMarkedUnready({ status }: Pod, told: readonly PodCondition[]): boolean {
  const wasReady = told.some((condition) => condition.type === "Ready" && condition.status === "True");
  if (!wasReady) return false;
  const shown = (type: string): PodCondition | undefined => status?.conditions?.find((condition) => condition.type === type);
  const ready = shown("Ready");
  return ready?.status === "False" && (ready.reason ?? "") === "" && shown("ContainersReady")?.status === "True";
}
