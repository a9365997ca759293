import type { Clock, Timer } from "#base/clock.ts";
import type { NodeRegistration } from "./node-registration.ts";

/** At most this many moments in a period at which nodes beat, so that a thousand nodes need few timers. */
const SLOTS_MAX = 40;

/** Spreads the heartbeats of all nodes, of one period, over time, on one timer. At least one node. */
export function startHeartbeats(nodes: readonly NodeRegistration[], isRunning: (name: string) => boolean, clock: Clock): Timer {
  const slots = Math.max(1, Math.min(nodes.length, SLOTS_MAX));
  const periodMs = nodes[0]?.beatPeriodMs ?? 0;
  let slot = 0;
  return clock.setInterval(() => {
    for (let i = slot; i < nodes.length; i += slots) {
      const node = nodes[i];
      // A beat never rejects.
      if (node !== undefined && isRunning(node.identity.name)) void node.beat();
    }
    slot = (slot + 1) % slots;
  }, periodMs / slots);
}
