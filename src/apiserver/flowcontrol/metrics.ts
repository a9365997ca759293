import type { FlowControl } from "./flow-control.ts";
import type { PriorityLevel } from "./priority-levels.ts";
import type { Occupant } from "./queue-set.ts";

interface Gauge {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly value: (level: PriorityLevel) => number;
}

const PREFIX = "apiserver_flowcontrol_";

const BY_LEVEL: readonly Gauge[] = [
  {
    name: "nominal_limit_seats",
    type: "gauge",
    help: "[BETA] Seats of a priority level by its shares.",
    value: (l) => l.nominal,
  },
  { name: "lower_limit_seats", type: "gauge", help: "[ALPHA] Seats that a level never lends.", value: (l) => l.minimum },
  { name: "upper_limit_seats", type: "gauge", help: "[ALPHA] Seats that a level has at most.", value: (l) => l.maximum },
  { name: "current_limit_seats", type: "gauge", help: "[ALPHA] Seats that a level has now.", value: (l) => l.queues.limit },
  {
    name: "current_executing_seats",
    type: "gauge",
    help: "[BETA] Seats that are taken.",
    value: (l) => l.queues.seatsInUse,
  },
];

/** What priority and fairness does, in Prometheus' text form and under upstream's names. */
export function flowControlMetrics(flow: FlowControl): string {
  const levels = [...flow.levels.all()];
  const lines: string[] = [];
  const head = (name: string, type: string, help: string): void => {
    lines.push(`# HELP ${PREFIX}${name} ${help}`, `# TYPE ${PREFIX}${name} ${type}`);
  };
  for (const { name, type, help, value } of BY_LEVEL) {
    head(name, type, help);
    for (const level of levels) lines.push(`${PREFIX}${name}{priority_level="${level.name}"} ${value(level)}`);
  }
  head("current_executing_requests", "gauge", "[BETA] Requests that are being worked on.");
  for (const level of levels) addBySchema(lines, "current_executing_requests", level, level.queues.executing);
  head("current_inqueue_requests", "gauge", "[BETA] Requests that wait.");
  for (const level of levels) {
    const waiting = level.queues.queues.flatMap((queue) => queue.waiting);
    addBySchema(lines, "current_inqueue_requests", level, waiting);
  }
  head("dispatched_requests_total", "counter", "[BETA] Requests that were let run.");
  for (const { name, queues } of levels) {
    for (const [schema, count] of queues.dispatched)
      lines.push(`${PREFIX}dispatched_requests_total{${labels(schema, name)}} ${count}`);
  }
  head("rejected_requests_total", "counter", "[BETA] Requests that were refused.");
  for (const { name, queues } of levels) {
    for (const [key, count] of queues.refused) {
      const [schema = "", reason = ""] = key.split("\0");
      lines.push(`${PREFIX}rejected_requests_total{${labels(schema, name)},reason="${reason}"} ${count}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function addBySchema(lines: string[], name: string, level: PriorityLevel, occupants: Iterable<Occupant>): void {
  const counts = new Map<string, number>();
  for (const { arrival } of occupants) counts.set(arrival.schema, (counts.get(arrival.schema) ?? 0) + 1);
  for (const [schema, count] of counts) lines.push(`${PREFIX}${name}{${labels(schema, level.name)}} ${count}`);
}

function labels(schema: string, level: string): string {
  return `flow_schema="${schema}",priority_level="${level}"`;
}
