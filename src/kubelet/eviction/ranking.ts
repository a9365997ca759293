import type { Pod } from "#api/generated/core/v1.ts";
import { quantityValue } from "#apimachinery/resource/quantity.ts";
import { podRequests } from "#component-helpers/pod/pod-requests.ts";
import { type DiskPart, diskUseOf, type UseOf } from "./pod-usage.ts";
import { resourceOf, type Signal } from "./signals.ts";

const ALL: readonly DiskPart[] = ["rootfs", "logs", "volumes"];

/** Who has to go first: who uses more than it asked for, then by priority, then by how much more it uses (upstream's ranking functions). */
export function rankForEviction(pods: readonly Pod[], signal: Signal, useOf: UseOf, hasImageFs: boolean): readonly Pod[] {
  const resource = resourceOf(signal);
  const parts = partsOf(signal, hasImageFs);
  const facts = new Map(
    pods.map((pod) => {
      const use = useOf(pod);
      const disk = use === undefined ? undefined : diskUseOf(use, parts);
      const used = { memory: use?.memoryBytes, "ephemeral-storage": disk?.bytes, inodes: disk?.inodes, pids: use?.processes };
      const requested = resource === "pids" ? 0 : requestOf(pod, resource);
      const over = (used[resource] ?? 0) - requested;
      return [pod, { isKnown: use !== undefined, exceeds: resource !== "pids" && over > 0, over }] as const;
    }),
  );
  return [...pods].sort((a, b) => {
    const [one, other] = [facts.get(a), facts.get(b)];
    if (one === undefined || other === undefined) return 0;
    // Of whom nothing is known, nobody can say that it keeps to what it asked for.
    const unknown = Number(other.isKnown === false) - Number(one.isKnown === false);
    const exceeding = Number(other.exceeds) - Number(one.exceeds);
    const priority = (a.spec.priority ?? 0) - (b.spec.priority ?? 0);
    if (resource === "pids") return priority || unknown || other.over - one.over;
    return unknown || exceeding || priority || other.over - one.over;
  });
}

/** What lies on the disk of a signal: where images have their own, so have the layers of containers. */
function partsOf(signal: Signal, hasImageFs: boolean): readonly DiskPart[] {
  if (!hasImageFs) return ALL;
  return signal.startsWith("nodefs") ? ["logs", "volumes"] : ["rootfs"];
}

function requestOf(pod: Pod, resource: string): number {
  const request = podRequests(pod).get(resource);
  return request === undefined ? 0 : quantityValue(request);
}
