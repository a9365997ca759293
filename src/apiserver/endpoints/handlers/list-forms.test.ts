import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { CacheEntry } from "../../cacher/cache-entry.ts";
import type { Column } from "../../registry/resource.ts";
import type { ServedForm } from "../../registry/store/served-form.ts";
import { encodedFromBytes, encodeObject } from "../../serializer.ts";
import { type IncludeObject, partialMetadata, table, tableRow } from "../../table/table.ts";
import { partialListBytes, tableBytes } from "./list-forms.ts";

const form = { fieldAnnotations: ["hidden"], other: undefined } as unknown as ServedForm;
const columns: readonly Column<ApiObject>[] = [
  { name: "Name", type: "string", description: "", cell: ({ metadata }) => metadata.name ?? "" },
];
const metadata = { resourceVersion: "9" };

const object = (name: string, more: Partial<ApiObject["metadata"]> = {}): ApiObject => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name, uid: name, ...more },
  data: { x: "}" },
});

/** Twice: as the writer knows it, and as it is read from the disk. */
const entriesOf = (value: ApiObject): CacheEntry[] => {
  const encoded = encodeObject(value);
  return [
    new CacheEntry("k", "", "", 7, encoded, structuredClone(value)),
    new CacheEntry("k", "", "", 8, encodedFromBytes(encoded.bytes)),
  ];
};

const lists: { name: string; entries: CacheEntry[] }[] = [
  { name: "no objects", entries: [] },
  { name: "plain objects", entries: entriesOf(object("a")) },
  { name: "braces and quotes in texts", entries: entriesOf(object("a", { annotations: { a: '{"}\\', "}": "\\" } })) },
  { name: "texts beyond ASCII", entries: entriesOf(object("ä", { labels: { "😀": "ß" } })) },
  { name: "hidden annotations", entries: entriesOf(object("a", { annotations: { hidden: "1", seen: "2" } })) },
  {
    name: "much",
    entries: Array.from({ length: 300 }, (_, i) => entriesOf(object(`${i}`, { finalizers: ["x".repeat(999)] }))).flat(),
  },
];

const parsed = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());

test.each(lists)("metadata of $name", async ({ entries }) => {
  const items = entries.map((entry) => partialMetadata(entry.object, "v1", ["hidden"]));
  expect(parsed(await partialListBytes({ form, entries, metadata, version: "v1" }))).toEqual({
    kind: "PartialObjectMetadataList",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    items: items.length === 0 ? null : items,
  });
});

test.each(lists.flatMap((list) => (["None", "Metadata", "Object"] as const).map((include) => ({ ...list, include }))))(
  "a table of $name with $include",
  async ({ entries, include }: { entries: CacheEntry[]; include: IncludeObject }) => {
    const rows = entries.map((entry) => tableRow(columns, entry.object, entry.object, include, "v1", 0, ["hidden"]));
    const bytes = await tableBytes({ form, entries, metadata, version: "v1" }, columns, include, 0);
    expect(parsed(bytes)).toEqual(table(columns, metadata, rows, "v1"));
  },
);
