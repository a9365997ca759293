import type { Plugin, PreEnqueuePlugin } from "../../framework/plugin.ts";
import { SUCCESS, unresolvable } from "../../framework/status.ts";

/** A pod waits until all its scheduling gates are gone (KEP-3521). */
export function schedulingGates(): Plugin & PreEnqueuePlugin {
  return {
    name: "SchedulingGates",
    eventsToRegister: [{ resource: "UnscheduledPod", actions: ["updateGates"] }],
    preEnqueue({ spec }) {
      const gates = (spec.schedulingGates ?? []).map(({ name }) => name);
      if (gates.length === 0) return SUCCESS;
      return unresolvable(`waiting for scheduling gates: [${gates.join(" ")}]`);
    },
  };
}
