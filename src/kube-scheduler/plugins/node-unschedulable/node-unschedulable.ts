import type { Pod, Taint } from "#api/generated/core/v1.ts";
import { toleratesTaint } from "#component-helpers/node/taints.ts";
import type { FilterPlugin, Plugin } from "../../framework/plugin.ts";
import { SUCCESS, unresolvable } from "../../framework/status.ts";

const UNSCHEDULABLE_TAINT: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
const CORDONED = unresolvable("node(s) were unschedulable");

function tolerates(pod: Pod): boolean {
  return (pod.spec.tolerations ?? []).some((toleration) => toleratesTaint(toleration, UNSCHEDULABLE_TAINT));
}

/** Cordoned nodes take only pods that tolerate that. */
export function nodeUnschedulable(): Plugin & FilterPlugin {
  return {
    name: "NodeUnschedulable",
    eventsToRegister: [
      {
        resource: "Node",
        actions: ["add", "updateTaint"],
        queueingHint(_, event) {
          if (event.resource !== "Node" || event.node.spec?.unschedulable) return "Skip";
          return event.old !== undefined && !event.old.spec?.unschedulable ? "Skip" : "Queue";
        },
      },
      {
        resource: "UnscheduledPod",
        actions: ["updateToleration"],
        queueingHint: ({ pod }) => (tolerates(pod) ? "Queue" : "Skip"),
      },
    ],
    filter: (_, { pod }, { unschedulable }) => (!unschedulable || tolerates(pod) ? SUCCESS : CORDONED),
  };
}
