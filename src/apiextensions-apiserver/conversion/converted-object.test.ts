import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { checkConverted } from "./converted-object.ts";

const PLACE = { type: "type", identity: "identity", metadata: "metadata" };
const from: ApiObject = {
  apiVersion: "g/v1",
  kind: "Thing",
  metadata: { name: "a", namespace: "n", uid: "u", generation: 3, labels: { a: "1" } },
};
const to = (change: object = {}, metadata: object = {}): object => ({
  apiVersion: "g/v2",
  kind: "Thing",
  metadata: { ...from.metadata, ...metadata },
  ...change,
});

test("what is taken", () => {
  const changes = { labels: { b: "2" }, annotations: { c: "3" }, generation: 9, ownerReferences: [{}] };
  expect(checkConverted(from, to({ spec: 1 }, changes), "g/v2", PLACE)).toEqual({
    object: {
      apiVersion: "g/v2",
      kind: "Thing",
      spec: 1,
      metadata: { name: "a", namespace: "n", uid: "u", generation: 3, labels: { b: "2" }, annotations: { c: "3" } },
    },
  });
});

test("labels that are gone are gone", () => {
  const checked = checkConverted(from, to({}, { labels: null }), "g/v2", PLACE);
  expect("object" in checked && checked.object.metadata.labels).toBeUndefined();
});

test.each([
  [to({ apiVersion: "g/v1" }), "type: invalid groupVersion (expected g/v2, received g/v1)"],
  [to({ kind: "Other" }), "type: invalid kind (expected Thing, received Other)"],
  [to({}, { name: "b" }), "identity: must have the same name: a != b"],
  [to({}, { namespace: "m" }), "identity: must have the same namespace: n != m"],
  [to({}, { uid: "v" }), "identity: must have the same UID: u != v"],
  [to({}, { labels: [] }), "metadata: invalid metadata.labels of type []interface {} in converted object"],
  [to({}, { labels: { a: 1 } }), "metadata: metadata.labels[a] must be a string, but is int64 in converted object"],
  [to({}, { annotations: { "": "x" } }), /^metadata: \[?metadata\.annotation: Invalid value: "": /],
  [null, "type: invalid groupVersion (expected g/v2, received )"],
])("what is refused: %j", (converted, want) => {
  const checked = checkConverted(from, converted, "g/v2", PLACE);
  expect("problem" in checked && checked.problem).toEqual(typeof want === "string" ? want : expect.stringMatching(want));
});
