import type { Node } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityValue } from "#apimachinery/resource/quantity.ts";
import type { AssignedPodEvent, ClusterEvent, QueueingHint } from "../../framework/cluster-event.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { podResources, type Resources, resourcesFromList } from "../../framework/resources.ts";
import { fits } from "./fits.ts";

/** What says whether room that was made is room for a pod. */
export interface RoomLister extends Pick<ClusterLister, "node" | "lowestPriority"> {
  /** Where pods are making way for a pod. */
  nominatedNodeOf(uid: string): string | undefined;
}

/**
 * Whether a pod that goes, or takes less, makes room for one that waits. Upstream takes each pod that goes for such: a full cluster then
 * tries all that wait for each that goes. Here it has to leave room on its node, since no other node gets any. That alone says nothing
 * of a pod for which others could make way: those events may change where and how, so it is tried for each, as upstream's is.
 */
export function roomHint(room: RoomLister): QueueingHint {
  const mayDisplace = ({ pod, priority, uid }: PodInfo): boolean =>
    Boolean(pod.status?.nominatedNodeName ?? room.nominatedNodeOf(uid)) ||
    (pod.spec.preemptionPolicy !== "Never" && room.lowestPriority() < priority);
  return (pod, event) => {
    if (event.resource !== "AssignedPod") return "Skip";
    if (event.action === "scaleDown" && !takesLess(event, pod.requests)) return "Skip";
    if (event.nodeName === undefined) return "Queue";
    const node = room.node(event.nodeName);
    return (node !== undefined && fits(pod.requests, node)) || mayDisplace(pod) ? "Queue" : "Skip";
  };
}

/** Whether the pod takes less of something that is wanted. */
function takesLess({ old, pod }: AssignedPodEvent, wanted: Resources): boolean {
  if (old === undefined) return true;
  return isMoreOf(wanted, podResources(old, { placed: true }), podResources(pod, { placed: true }));
}

/** A change of the node helps only if the whole node is large enough, and has more than before of what the pod requests. */
export function hintOfNode({ requests }: PodInfo, event: ClusterEvent): "Queue" | "Skip" {
  if (event.resource !== "Node") return "Skip";
  const { node, old } = event;
  const has = resourcesFromList(node.status?.allocatable);
  const tooSmall =
    allowedPods(node) < 1 ||
    requests.milliCpu > has.milliCpu ||
    requests.memoryBytes > has.memoryBytes ||
    requests.ephemeralStorageBytes > has.ephemeralStorageBytes ||
    [...requests.scalars].some(([name, amount]) => amount > (has.scalars.get(name) ?? 0));
  if (tooSmall) return "Skip";
  if (old === undefined || allowedPods(node) > allowedPods(old)) return "Queue";
  return isMoreOf(requests, has, resourcesFromList(old.status?.allocatable)) ? "Queue" : "Skip";
}

function allowedPods({ status }: Node): number {
  return quantityValue(parseQuantity(status?.allocatable?.pods ?? 0));
}

/** Whether there is more than so much of something that is wanted. */
function isMoreOf(wanted: Resources, amounts: Resources, than: Resources): boolean {
  return (
    (wanted.milliCpu > 0 && amounts.milliCpu > than.milliCpu) ||
    (wanted.memoryBytes > 0 && amounts.memoryBytes > than.memoryBytes) ||
    (wanted.ephemeralStorageBytes > 0 && amounts.ephemeralStorageBytes > than.ephemeralStorageBytes) ||
    [...wanted.scalars].some(([name, amount]) => amount > 0 && (amounts.scalars.get(name) ?? 0) > (than.scalars.get(name) ?? 0))
  );
}
