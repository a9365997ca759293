import { hostPortsOf, portsConflict } from "#component-helpers/pod/host-ports.ts";
import type { FilterPlugin, Plugin, PreFilterPlugin } from "../../framework/plugin.ts";
import { SKIP, SUCCESS, unschedulable } from "../../framework/status.ts";

const TAKEN = unschedulable("node(s) didn't have free ports for the requested pod ports");

/** Two pods cannot have the same host port. */
export function nodePorts(): Plugin & PreFilterPlugin & FilterPlugin {
  return {
    name: "NodePorts",
    eventsToRegister: [
      {
        resource: "AssignedPod",
        actions: ["delete"],
        queueingHint({ hostPorts }, event) {
          if (event.resource !== "AssignedPod") return "Skip";
          const freed = hostPortsOf(event.pod);
          return hostPorts.some((wanted) => freed.some((port) => portsConflict(wanted, port))) ? "Queue" : "Skip";
        },
      },
      { resource: "Node", actions: ["add"] },
    ],
    preFilter: (_, { hostPorts }) => ({ status: hostPorts.length === 0 ? SKIP : SUCCESS }),
    filter: (_, { hostPorts }, { usedPorts }) =>
      usedPorts.length > 0 && hostPorts.some((wanted) => usedPorts.some((used) => portsConflict(wanted, used))) ? TAKEN : SUCCESS,
  };
}
