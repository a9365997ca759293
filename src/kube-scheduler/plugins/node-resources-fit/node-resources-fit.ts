import type { FilterPlugin, Plugin, ScorePlugin } from "../../framework/plugin.ts";
import { SUCCESS } from "../../framework/status.ts";
import { fits, shortage } from "./fits.ts";
import { leastAllocated } from "./least-allocated.ts";
import { hintOfNode, type RoomLister, roomHint } from "./room-hints.ts";

/** A node must have what the pod requests; nodes with more left are better. */
export function nodeResourcesFit(room: RoomLister): Plugin & FilterPlugin & ScorePlugin {
  return {
    name: "NodeResourcesFit",
    weight: 1,
    eventsToRegister: [
      { resource: "AssignedPod", actions: ["delete", "scaleDown"], queueingHint: roomHint(room) },
      { resource: "Node", actions: ["add", "updateAllocatable"], queueingHint: hintOfNode },
      { resource: "UnscheduledPod", actions: ["scaleDown"] },
    ],
    filter: (_, pod, node) => (fits(pod.requests, node) ? SUCCESS : shortage(pod.requests, node)),
    score: (_, pod, node) => leastAllocated(pod, node),
  };
}
