import type { Pod, PodCondition } from "#api/generated/core/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { podCondition } from "#component-helpers/pod/pod-conditions.ts";

export const PODS: ResourceId = { group: "", version: "v1", resource: "pods" };
const FIELD_MANAGER = "kube-scheduler";

/** Writes what the scheduler has to say into the status of pods. */
export class PodStatusWriter {
  readonly #client: Client;
  readonly #clock: Clock;

  constructor(options: { client: Client; clock: Clock }) {
    this.#client = options.client;
    this.#clock = options.clock;
  }

  /** Sets the condition, and the nominated node where it is given; writes nothing that is there already. */
  async write(pod: Pod, condition: Omit<PodCondition, "lastTransitionTime">, nominatedNodeName?: string): Promise<void> {
    const { name = "", namespace = "", uid } = pod.metadata;
    const generation = pod.metadata.generation ?? 0;
    const wanted = { ...condition, ...(generation > 0 ? { observedGeneration: generation } : {}) };
    const old = podCondition(pod, condition.type);
    const nominationChanges = nominatedNodeName !== undefined && nominatedNodeName !== (pod.status?.nominatedNodeName ?? "");
    if (old !== undefined && isSame(old, wanted) && !nominationChanges) return;
    const transition = old?.status === condition.status ? old.lastTransitionTime : undefined;
    const status = {
      conditions: [{ ...wanted, lastProbeTime: null, lastTransitionTime: transition ?? formatTime(this.#clock.now()) }],
      ...(nominationChanges ? { nominatedNodeName: nominatedNodeName === "" ? null : nominatedNodeName } : {}),
    };
    // The UID keeps the patch off another pod of the same name.
    await this.#client.patch(
      PODS,
      namespace,
      name,
      "application/strategic-merge-patch+json",
      { metadata: { uid }, status },
      {
        subresource: "status",
        fieldManager: FIELD_MANAGER,
      },
    );
  }
}

function isSame(old: PodCondition, wanted: Omit<PodCondition, "lastTransitionTime">): boolean {
  return (
    old.status === wanted.status &&
    old.reason === wanted.reason &&
    old.message === wanted.message &&
    old.observedGeneration === wanted.observedGeneration
  );
}
