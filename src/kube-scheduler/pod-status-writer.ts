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
    const types = (pod.status?.conditions ?? []).map(({ type }) => type);
    const status = {
      // Without it the server would put a new condition before those that are there.
      "$setElementOrder/conditions": [...new Set([...types, condition.type])].map((type) => ({ type })),
      conditions: [{ ...wanted, lastProbeTime: null, lastTransitionTime: transition ?? formatTime(this.#clock.now()) }],
      ...(nominationChanges ? { nominatedNodeName: nominatedNodeName === "" ? null : nominatedNodeName } : {}),
    };
    await this.#patch(namespace, name, uid, status);
  }

  /** Takes a nomination back. */
  async clearNomination(pod: Pod): Promise<void> {
    const { name = "", namespace = "", uid } = pod.metadata;
    if (pod.status?.nominatedNodeName) await this.#patch(namespace, name, uid, { nominatedNodeName: null });
  }

  /** The UID keeps the patch off another pod of the same name. */
  async #patch(namespace: string, name: string, uid: string | undefined, status: object): Promise<void> {
    const patch = { metadata: { uid }, status };
    const options = { subresource: "status", fieldManager: FIELD_MANAGER };
    await this.#client.patch(PODS, namespace, name, "application/strategic-merge-patch+json", patch, options);
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
