import type { Clock, Timer } from "#base/clock.ts";
import type { NodeRegistration } from "./node-registration.ts";

/** Every node beats once in this time. */
const BEAT_PERIOD_MS = 10_000;
/** At most this many moments in a period at which nodes beat, so that a thousand nodes need few timers. */
const SLOTS_MAX = 40;

/** Spreads the heartbeats of all nodes over time, on one timer. */
export function startHeartbeats(nodes: readonly NodeRegistration[], isRunning: (name: string) => boolean, clock: Clock): Timer {
  const slots = Math.max(1, Math.min(nodes.length, SLOTS_MAX));
  let slot = 0;
  return clock.setInterval(() => {
    for (let i = slot; i < nodes.length; i += slots) {
      const node = nodes[i];
      // A beat never rejects.
      if (node !== undefined && isRunning(node.identity.name)) void node.beat();
    }
    slot = (slot + 1) % slots;
  }, BEAT_PERIOD_MS / slots);
}
