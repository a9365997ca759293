import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { referenceTo } from "#client/event-target.ts";
import type { PodInfo } from "./framework/pod-info.ts";
import { PODS, type PodStatusWriter } from "./pod-status-writer.ts";

/**
 * Removes the victims of a preemption: each is told why in a condition, then deleted, and an event says so. Less
 * important pods that were to come to the node lose their nomination: they may find another place sooner.
 */
export async function evictVictims(
  modules: { client: Client; statusWriter: PodStatusWriter; recorder: EventRecorder },
  victims: readonly PodInfo[],
  preemptor: PodInfo,
  nodeName: string,
  nominated: Iterable<PodInfo>,
): Promise<void> {
  for (const { pod, priority } of nominated) {
    // Its next attempt nominates it anew if it must; nothing else depends on this write.
    if (priority < preemptor.priority) void modules.statusWriter.clearNomination(pod).catch(() => undefined);
  }
  await Promise.all(
    victims.map(async (victim) => {
      if (victim.pod.metadata.deletionTimestamp !== undefined) return;
      try {
        await evict(modules, victim, preemptor, nodeName);
      } catch (error) {
        // It is out of the way, as was wanted.
        if (!isNotFound(error)) throw error;
      }
    }),
  );
}

async function evict(
  { client, statusWriter, recorder }: { client: Client; statusWriter: PodStatusWriter; recorder: EventRecorder },
  { pod: victim, uid }: PodInfo,
  preemptor: PodInfo,
  nodeName: string,
): Promise<void> {
  const { namespace = "", name = "" } = victim.metadata;
  await statusWriter.write(victim, {
    type: "DisruptionTarget",
    status: "True",
    reason: "PreemptionByScheduler",
    message: `${preemptor.pod.spec.schedulerName}: preempting to accommodate a higher priority pod`,
  });
  await client.delete(PODS, namespace, name, { preconditions: { uid } });
  const message = `Preempted by pod ${preemptor.uid} on node ${nodeName}`;
  recorder.event(referenceTo("v1", "Pod", victim), "Normal", "Preempted", message, { action: "Preempting" });
}
