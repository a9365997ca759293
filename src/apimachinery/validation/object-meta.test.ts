import { expect, test } from "vitest";
import type { ObjectMeta } from "../meta/api-object.ts";
import { type FieldError, goQuote } from "./field-error.ts";
import { FieldPath } from "./field-path.ts";
import { nameIsDnsSubdomain } from "./names.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "./object-meta.ts";

const path = FieldPath.of("metadata");
const show = (errors: readonly FieldError[]): string[] => errors.map(({ field, message }) => `${field}: ${message.slice(0, 40)}`);

const creations: readonly (readonly [string, ObjectMeta, readonly string[]])[] = [
  ["a good name", { name: "a.b" }, []],
  ["no name", {}, ["metadata.name: Required value: name or generateName is "]],
  [
    "an unqualified finalizer",
    { name: "a", finalizers: ["x"] },
    ['metadata.finalizers[0]: Invalid value: "x": name is neither a st'],
  ],
  [
    "a label of 64 characters",
    { name: "a", labels: { l: "b".repeat(64) } },
    [`metadata.labels: Invalid value: "${"b".repeat(24)}`],
  ],
  ["an annotation in capitals", { name: "a", annotations: { "Example.com/a": "x" } }, []],
  [
    "an owner without version",
    { name: "a", ownerReferences: [{ apiVersion: "", kind: "K", name: "n", uid: "u" }] },
    ['metadata.ownerReferences.apiVersion: Invalid value: "": version must not be e'],
  ],
  [
    "an event as owner",
    { name: "a", ownerReferences: [{ apiVersion: "v1", kind: "Event", name: "n", uid: "u" }] },
    ['metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind"'],
  ],
];
test.each(creations)("a new object with %s", (_name, meta, want) => {
  expect(show(validateObjectMeta({ namespace: "default", ...meta }, true, nameIsDnsSubdomain, path))).toEqual(want);
});

const old: ObjectMeta = { name: "a", namespace: "n", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
const updates: readonly (readonly [string, ObjectMeta, readonly string[]])[] = [
  ["nothing", {}, []],
  ["the uid", { uid: "v" }, ['metadata.uid: Invalid value: "v": field is immutable']],
  ["the resource version", { resourceVersion: "" }, ['metadata.resourceVersion: Invalid value: "": must be specified for']],
  [
    "a finalizer of a deleted object",
    { deletionTimestamp: "x", finalizers: ["a/b"] },
    ["metadata.finalizers: Forbidden: no new finalizers can be adde"],
  ],
];
test.each(updates)("an update that changes %s", (_name, change, want) => {
  const before = change.deletionTimestamp === undefined ? old : { ...old, deletionTimestamp: change.deletionTimestamp };
  expect(show(validateObjectMetaUpdate({ ...old, ...change }, before, path))).toEqual(want);
});

test.each([
  ["caf\u00e9 \u{1f600}", '"caf\u00e9 \u{1f600}"'],
  ["a\u00a0b\u200b", '"a\\u00a0b\\u200b"'],
  ["\u{e0001}", '"\\U000e0001"'],
])("%j is quoted as Go does", (text, want) => {
  expect(goQuote(text)).toBe(want);
});
