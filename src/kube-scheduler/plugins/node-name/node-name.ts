import type { FilterPlugin, Plugin } from "../../framework/plugin.ts";
import { SUCCESS, unresolvable } from "../../framework/status.ts";

const MISMATCH = unresolvable("node(s) didn't match the requested node name");

/** A pod that names its node goes there only. */
export function nodeName(): Plugin & FilterPlugin {
  return {
    name: "NodeName",
    eventsToRegister: [{ resource: "Node", actions: ["add"] }],
    filter: (_, { pod }, { name }) => (pod.spec.nodeName && pod.spec.nodeName !== name ? MISMATCH : SUCCESS),
  };
}
