import type { Column } from "#apiserver/registry/resource.ts";
import { createdAtColumn, type Named, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { CORE_GROUP_DOCS } from "./column-docs/core-group.ts";
import { NAMED_GROUP_DOCS } from "./column-docs/named-groups.ts";

const COLUMN_DOCS = { ...CORE_GROUP_DOCS, ...NAMED_GROUP_DOCS };

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

/** A label set as `k=v,k=v`; `<none>` when empty. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length === 0 ? "<none>" : keys.map((key) => `${key}=${labels?.[key]}`).join(",");
}
