import type { Pod, PodCondition, PodStatus } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";
import { type PodStatusSituation, podStatus } from "./pod-status.ts";
import type { PodStatusWriter } from "./pod-status-writer.ts";
import { staleConditions } from "./status-manager.ts";

/** What a {@link PodStatusTeller} is told of a pod each time. */
export type ToldSituation = Omit<PodStatusSituation, "previousConditions">;

/** Tells the status of one pod: each only once, unless the API does not show it. */
export class PodStatusTeller {
  readonly #writer: PodStatusWriter;
  /** Undefined: the next one is told, whatever it is. */
  #told: PodStatus | undefined;
  #status: PodStatus | undefined;
  #conditions: readonly PodCondition[] = [];
  /** When the API had taken what was told last, and what it made of it; until it shows something else. */
  #written: Pod | undefined;
  #seen: Pod | undefined;
  readonly #onOverwritten: () => void;

  /** `onOverwritten` is called when something is to be told again of which only the answer to a write has told. */
  constructor(writer: PodStatusWriter, onOverwritten: () => void = () => undefined) {
    this.#writer = writer;
    this.#onOverwritten = onOverwritten;
  }

  /** The pod with the status that was told last, which the API may not show yet. */
  applyTo(pod: Pod): Pod {
    return this.#status === undefined ? pod : { ...pod, status: { ...pod.status, ...this.#status } };
  }

  /** The API shows the pod so. True when what it shows although it was taken back, or shows no more, is to be told again with the next look. */
  seen(pod: Pod): boolean {
    this.#seen = pod;
    const isTakenBack = staleConditions(pod, this.#conditions).length > 0 || isMarkedUnready(pod, this.#conditions);
    if (!isTakenBack && !this.#isOverwritten()) return false;
    this.#forget();
    return true;
  }

  /**
   * Whether the API shows an older status than it has taken: one that was given up, since no answer came, and that arrived late all the
   * same. Upstream's `needsReconcile`.
   */
  #isOverwritten(): boolean {
    const [written, seen] = [this.#written, this.#seen];
    if (written === undefined || seen === undefined || revisionOf(seen) <= revisionOf(written)) return false;
    return gistOf(seen, this.#conditions) !== gistOf(written, this.#conditions);
  }

  /** What was told last is told again with the next look. */
  #forget(): void {
    this.#told = undefined;
    this.#written = undefined;
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
    if (!final && this.#told !== undefined && semanticEqual(told, this.#told)) return;
    this.#told = told;
    this.#written = undefined;
    this.#writer.write(pod, told, final, (written) => {
      if (this.#told !== told) return;
      this.#written = written;
      if (!this.#isOverwritten()) return;
      this.#forget();
      this.#onOverwritten();
    });
  }
}

function revisionOf({ metadata }: Pod): number {
  return Number(metadata.resourceVersion);
}

/** What of a pod's status is the node's to say, as far as it is the same in whatever way it was written: its phase, conditions and containers. */
function gistOf({ status }: Pod, told: readonly PodCondition[]): string {
  const all = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  return JSON.stringify([
    status?.phase,
    told.map(({ type }) => status?.conditions?.find((condition) => condition.type === type)?.status),
    all.map(({ name, containerID, restartCount, ready, state }) => [
      name,
      containerID,
      restartCount,
      ready,
      Object.keys(state ?? {}),
    ]),
  ]);
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
