import type { Event } from "#api/generated/core/v1.ts";
import { timeSince } from "#apimachinery/meta/human-duration.ts";
import type { Column } from "#apiserver/registry/resource.ts";
import { nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";

const column = columnsOf<Event>("/events");
const wide = { priority: 1 };

/** Columns of `kubectl get events`. */
export const eventColumns: readonly Column<Event>[] = [
  column("Last Seen", "string", lastSeen),
  column("Type", "string", (o) => o.type ?? ""),
  column("Reason", "string", (o) => o.reason ?? ""),
  column("Object", "string", target),
  column("Subobject", "string", (o) => o.involvedObject?.fieldPath ?? "", wide),
  column("Source", "string", source, wide),
  column("Message", "string", (o) => (o.message ?? "").trim()),
  column("First Seen", "string", firstSeen, wide),
  column("Count", "string", (o) => o.series?.count ?? (o.count || 1), wide),
  { ...nameColumn, ...wide },
];

function firstSeen(event: Event, now: number): string {
  return timeSince(event.firstTimestamp || event.eventTime, now);
}

function lastSeen(event: Event, now: number): string {
  if (event.series) return timeSince(event.series.lastObservedTime, now);
  return event.lastTimestamp ? timeSince(event.lastTimestamp, now) : firstSeen(event, now);
}

function target(event: Event): string {
  const kind = (event.involvedObject?.kind ?? "").toLowerCase();
  const name = event.involvedObject?.name ?? "";
  return name === "" ? kind : `${kind}/${name}`;
}

function source(event: Event): string {
  const component = event.source?.component || (event.reportingComponent ?? "");
  const instance = event.source?.host || (event.reportingInstance ?? "");
  return instance === "" ? component : `${component}, ${instance}`;
}
