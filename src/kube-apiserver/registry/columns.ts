import { parseTime } from "#apimachinery/meta/time.ts";
import type { Column } from "#apiserver/registry/resource.ts";
import { COLUMN_DOCS } from "./column-docs.ts";

/** What the columns that all kinds share look at. */
export interface Named {
  readonly metadata: { readonly name?: string; readonly creationTimestamp?: string | null };
}

const NAME_DOC =
  "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
const CREATED_DOC =
  "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/** The first column of nearly every kind. */
export const nameColumn: Column<Named> = {
  name: "Name",
  type: "string",
  format: "name",
  description: NAME_DOC,
  cell: (object) => object.metadata.name ?? "",
};

/** Time since creation, for people. */
export const ageColumn: Column<Named> = {
  name: "Age",
  type: "string",
  description: CREATED_DOC,
  cell: (object, now) => timeSince(object.metadata.creationTimestamp, now),
};

/** What kinds without a printer of their own show beside the name. */
export const createdAtColumn: Column<Named> = {
  name: "Created At",
  type: "date",
  description: CREATED_DOC,
  cell: (object) => object.metadata.creationTimestamp ?? null,
};

/** Columns of kinds without a printer of their own. */
export const PLAIN_COLUMNS: readonly Column<Named>[] = [nameColumn, createdAtColumn];

/** Makes a resource's own columns; their descriptions are looked up by `key` (`group/resource`) and name. */
export function columnsOf<T>(
  key: string,
): (
  name: string,
  type: Column<T>["type"],
  cell: Column<T>["cell"],
  options?: { priority?: number; format?: string },
) => Column<T> {
  return (name, type, cell, options = {}) => ({
    name,
    type,
    description: COLUMN_DOCS[key]?.[name] ?? "",
    cell,
    ...options,
  });
}

/** The time since a timestamp as `kubectl get` shows it; `<unknown>` for none. */
export function timeSince(timestamp: string | null | undefined, now: number): string {
  const then = parseTime(timestamp);
  return then === undefined ? "<unknown>" : humanDuration(now - then);
}

/** A duration in milliseconds with two or three significant figures, as upstream's `duration.HumanDuration`. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (days < 8) return two(days, "d", hours % 24, "h");
  if (days < 365 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (days < 365 * 8) return two(years, "y", days % 365, "d");
  return `${years}y`;
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/** A label set as `k=v,k=v`; `<none>` when empty. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length === 0 ? "<none>" : keys.map((key) => `${key}=${labels?.[key]}`).join(",");
}
