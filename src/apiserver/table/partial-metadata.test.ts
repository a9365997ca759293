import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { partialMetadata } from "./table.ts";

test.each<{ name: string; annotations: Record<string, string> | undefined; want: Record<string, string> | undefined }>([
  { name: "no annotations", annotations: undefined, want: undefined },
  { name: "none that is hidden", annotations: { a: "1" }, want: { a: "1" } },
  { name: "one of two", annotations: { a: "1", field: "2" }, want: { a: "1" } },
  { name: "the only one", annotations: { field: "2" }, want: undefined },
])("metadata alone leaves out annotations that are fields: $name", ({ annotations, want }) => {
  const metadata = annotations === undefined ? { name: "x" } : { name: "x", annotations };
  const object: ApiObject = { kind: "K", apiVersion: "v1", metadata };
  const shown = partialMetadata(object, "v1", ["field"]) as { metadata: object };
  expect(shown.metadata).toEqual(want === undefined ? { name: "x" } : { name: "x", annotations: want });
});
