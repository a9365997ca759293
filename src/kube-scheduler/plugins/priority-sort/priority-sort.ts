import type { Plugin, QueueSortPlugin } from "../../framework/plugin.ts";

/** Higher priority first; of equal priority, the one that has waited longer. */
export function prioritySort(): Plugin & QueueSortPlugin {
  return {
    name: "PrioritySort",
    less: (a, b) => a.info.priority > b.info.priority || (a.info.priority === b.info.priority && a.timestamp < b.timestamp),
  };
}
