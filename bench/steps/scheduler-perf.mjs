import { Context } from "../context.mjs";
import { connect } from "../http1-client.mjs";
import { idleNodes } from "./cluster.mjs";
import { get } from "./measure.mjs";
import { besidePreemption, churn, preempt, removePriorities, schedule } from "./schedule.mjs";

const KINDS = { schedule, churn, preempt, besidePreemption };

/**
 * What upstream's scheduler_perf measures: Pods bound to Nodes that are objects and no more, on a server of its own or one that has none. `kind` is the
 * step that does it, `schedule` unless told; the other settings are that step's, `nodes` and `zones` those of {@link idleNodes}.
 */
export async function schedulerPerf(context, { kind = "schedule", nodes, zones, ...settings }, target) {
  const server = await target.start();
  if (!target.isOurs && (await hasNodes(server))) {
    await server.stop();
    context.skip(`scheduler_perf is not measured on ${target.name}: it has Nodes already`);
    return;
  }
  const own = new Context(server, (...figure) => context.report(...figure));
  try {
    const beating = await idleNodes(own, { nodes, zones, isShared: !target.isOurs });
    try {
      await KINDS[kind](own, { nodes, ...settings });
    } finally {
      await beating.stop();
      if (!target.isOurs) await removePriorities(own);
    }
  } finally {
    own.close();
    await server.stop();
  }
}

async function hasNodes(server) {
  const client = await connect(server);
  const { items } = await get(client, "/api/v1/nodes?limit=1");
  client.close();
  return items.length > 0;
}
