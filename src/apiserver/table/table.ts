import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { Column } from "../registry/resource.ts";
import { createdAtColumn, type Named, nameColumn } from "./metadata-columns.ts";

/** What a table's rows carry beside their cells. */
export type IncludeObject = "None" | "Metadata" | "Object";

/** A version of the `meta.k8s.io` group that tables are served in. */
export type MetaVersion = "v1" | "v1beta1";

/** The columns of a kind that declares none: name and creation time, as upstream's default convertor. */
export const DEFAULT_COLUMNS: readonly Column<Named>[] = [
  nameColumn,
  { ...createdAtColumn, cell: (object) => object.metadata.creationTimestamp ?? "<unknown>" },
];

/** One object as a table row. */
export interface TableRow {
  readonly cells: readonly (string | number | bigint | boolean | null)[];
  readonly object: unknown;
}

/** `columnDefinitions` as they are served. */
export function columnDefinitions(columns: readonly Column<ApiObject>[]): unknown[] {
  return columns.map((column) => ({
    name: column.name,
    type: column.type,
    format: column.format ?? "",
    description: column.description,
    priority: column.priority ?? 0,
  }));
}

/** The row of one object. `shown` is what goes along with it for `includeObject=Object`. */
export function tableRow(
  columns: readonly Column<ApiObject>[],
  object: ApiObject,
  shown: ApiObject,
  include: IncludeObject,
  version: MetaVersion,
  now: number,
  hidden: readonly string[] = [],
): TableRow {
  const cells = columns.map((column) => column.cell(object, now));
  if (include === "None") return { cells, object: null };
  return { cells, object: include === "Object" ? shown : partialMetadata(shown, version, hidden) };
}

/** The object's metadata alone, without the `hidden` annotations. */
export function partialMetadata(object: ApiObject, version: MetaVersion, hidden: readonly string[] = []): unknown {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: metadataWithout(object, hidden) };
}

/** Whether metadata alone is not all of the object's metadata. */
export function hidesAnnotations({ metadata: { annotations } }: ApiObject, hidden: readonly string[]): boolean {
  return annotations !== undefined && hidden.some((key) => annotations[key] !== undefined);
}

function metadataWithout(object: ApiObject, hidden: readonly string[]): ApiObject["metadata"] {
  const { metadata } = object;
  if (!hidesAnnotations(object, hidden)) return metadata;
  const { annotations, ...rest } = metadata;
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !hidden.includes(key));
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
}

/** A table but for its rows. */
export function tableHead(columns: readonly Column<ApiObject>[] | null, metadata: object, version: MetaVersion): object {
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: columns === null ? null : columnDefinitions(columns),
  };
}

/** A whole table. Kinds without a printer of their own, which alone have dates, write an empty one as null. */
export function table(
  columns: readonly Column<ApiObject>[] | null,
  metadata: object,
  rows: readonly TableRow[],
  version: MetaVersion,
): unknown {
  return {
    ...tableHead(columns, metadata, version),
    rows: rows.length === 0 && columns?.some((column) => column.type === "date") ? null : rows,
  };
}
