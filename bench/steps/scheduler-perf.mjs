import { Context } from "../context.mjs";
import { idleNodes } from "./cluster.mjs";
import { churn, preempt, schedule } from "./schedule.mjs";

const KINDS = { schedule, churn, preempt };

/**
 * What upstream's scheduler_perf measures: Pods bound to Nodes that are objects and no more, on a server of its own. `kind` is the
 * step that does it, `schedule` unless told; the other settings are that step's, `nodes` and `zones` those of {@link idleNodes}.
 */
export async function schedulerPerf(context, { kind = "schedule", nodes, zones, ...settings }, target) {
  const server = await target.start();
  const own = new Context(server, (...figure) => context.report(...figure));
  try {
    const beating = await idleNodes(own, { nodes, ...(zones === undefined ? {} : { zones }) });
    try {
      await KINDS[kind](own, { nodes, ...settings });
    } finally {
      beating.stop();
    }
  } finally {
    own.close();
    await server.stop();
  }
}
