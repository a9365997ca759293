import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import { plainText } from "../non-resource/answers.ts";
import type { NonResourceRoute } from "../non-resource/route.ts";
import type { FlowControl } from "./flow-control.ts";
import type { PriorityLevel } from "./priority-levels.ts";
import type { Occupant } from "./queue-set.ts";

const ROOT = "/debug/api_priority_and_fairness";
/** Narrowest column, as upstream's tab writer has it. */
const COLUMN_MIN = 8;

const LEVEL_COLUMNS = [
  "PriorityLevelName",
  "ActiveQueues",
  "IsIdle",
  "IsQuiescing",
  "WaitingRequests",
  "ExecutingRequests",
  "DispatchedRequests",
  "RejectedRequests",
  "TimedoutRequests",
  "CancelledRequests",
];
const QUEUE_COLUMNS = [
  "PriorityLevelName",
  "Index",
  "PendingRequests",
  "ExecutingRequests",
  "SeatsInUse",
  "NextDispatchR",
  "InitialSeatsSum",
  "MaxSeatsSum",
  "TotalWorkSum",
];
const REQUEST_COLUMNS = [
  "PriorityLevelName",
  "FlowSchemaName",
  "QueueIndex",
  "RequestIndexInQueue",
  // Spelt so upstream.
  "FlowDistingsher",
  "ArriveTime",
  "InitialSeats",
  "FinalSeats",
  "AdditionalLatency",
  "StartTime",
];
const DETAIL_COLUMNS = ["UserName", "Verb", "APIPath", "Namespace", "Name", "APIVersion", "Resource", "SubResource"];

/** What stands behind `/debug/api_priority_and_fairness/`: levels, queues and requests as they are now. */
export function flowControlDumps(flow: FlowControl): ReadonlyMap<string, NonResourceRoute> {
  const sorted = (): PriorityLevel[] => [...flow.levels.all()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return new Map<string, NonResourceRoute>([
    [`${ROOT}/dump_priority_levels`, () => table(LEVEL_COLUMNS, sorted().map(levelRow))],
    [`${ROOT}/dump_queues`, () => table(QUEUE_COLUMNS, sorted().flatMap(queueRows))],
    [
      `${ROOT}/dump_requests`,
      ({ query }) => {
        const details = (query.get("includeRequestDetails") ?? "") !== "";
        const columns = details ? [...REQUEST_COLUMNS, ...DETAIL_COLUMNS] : REQUEST_COLUMNS;
        return table(
          columns,
          sorted().flatMap((level) => requestRows(level, details)),
        );
      },
    ],
  ]);
}

function levelRow({ name, queues, quiescing }: PriorityLevel): string[] {
  const { tally } = queues;
  const active = queues.queues.filter(({ waiting }) => waiting.length > 0).length;
  const numbers = [queues.waiting, queues.executing.size, tally.dispatched, tally.rejected, tally.timedOut, tally.cancelled];
  return [name, String(active), String(queues.idle), String(quiescing), ...numbers.map(String)];
}

function queueRows({ name, queues }: PriorityLevel): string[][] {
  return queues.queues.map(({ waiting, executing, seats, next }, i) => {
    const wanted = waiting.reduce((sum, { arrival }) => sum + arrival.seats, 0);
    const tag = `${(next / 1000).toFixed(8)}ss`;
    const work = `${(wanted * 0.003).toFixed(8)}ss`;
    return [name, ...[i, waiting.length, executing, seats].map(String), tag, String(wanted), String(wanted), work];
  });
}

function requestRows({ name, queues }: PriorityLevel, details: boolean): string[][] {
  const rows: string[][] = [];
  for (const [queue, { waiting }] of queues.queues.entries()) {
    for (const [i, occupant] of waiting.entries()) rows.push(requestRow(name, queue, i, occupant, details));
  }
  for (const ticket of queues.executing) rows.push(requestRow(name, ticket.queue?.index ?? -1, -1, ticket, details));
  return rows;
}

function requestRow(level: string, queue: number, index: number, occupant: Occupant, details: boolean): string[] {
  const { schema, distinguisher, seats, user, info } = occupant.arrival;
  const time = (at: number | undefined): string => (at === undefined ? "0001-01-01T00:00:00Z" : new Date(at).toISOString());
  const row = [level, schema, String(queue), String(index), distinguisher, time(occupant.arrivedAt), String(seats), "0", "0s"];
  row.push(time(occupant.startedAt));
  if (!details) return row;
  const version = formatGroupVersion(info.apiGroup, info.apiVersion);
  return [...row, user.name, info.verb, info.path, info.namespace, info.name, version, info.resource, info.subresource];
}

/** As Go's tab writer aligns it: every column but the last as wide as its widest cell. */
function table(columns: readonly string[], rows: readonly (readonly string[])[]): ReturnType<typeof plainText> {
  const lines = [columns, ...rows].map((row) => row.map((cell, i) => (i < row.length - 1 ? `${cell},` : cell)));
  const widths = columns.map((_, i) => Math.max(COLUMN_MIN, ...lines.map((line) => (line[i] ?? "").length + 1)));
  const text = lines.map((line) => line.map((cell, i) => (i < line.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell)).join(""));
  return plainText(200, `${text.join("\n")}\n`);
}
