import { expect, test } from "vitest";
import type { StorageVersionMigration } from "#api/generated/storagemigration/v1beta1.ts";
import { validateMigration, validateMigrationStatus, validateMigrationUpdate } from "./validation.ts";

const TIME = "2026-01-01T00:00:00Z";
const condition = (type: string, status = "True"): object => ({
  type,
  status,
  reason: "R",
  message: "",
  lastTransitionTime: TIME,
});

function migration(resource: object, status: object = {}): StorageVersionMigration {
  return { metadata: { name: "m" }, spec: { resource }, status } as StorageVersionMigration;
}

const texts = (errors: readonly { readonly field: string; readonly message: string }[]): string[] =>
  errors.map(({ field, message }) => `${field}: ${message}`);

test.each([
  { name: "a resource of the core group", resource: { group: "", resource: "secrets" }, want: [] },
  { name: "a custom resource", resource: { group: "a.example.com", resource: "things" }, want: [] },
  {
    name: "no resource",
    resource: { group: "" },
    want: ["spec.resource.resource: Required value: resource is required to be set"],
  },
])("$name", ({ resource, want }) => {
  expect(texts(validateMigration(migration(resource)))).toEqual(want);
});

test("names are checked as those of APIServices", () => {
  const errors = validateMigration(migration({ group: "A_B", resource: "Things" }));
  expect(errors.map(({ field }) => field)).toEqual(["spec.resource.resource", "spec.resource.group"]);
});

test("what is to be migrated does not change", () => {
  const [error] = validateMigrationUpdate(
    migration({ group: "", resource: "pods" }),
    migration({ group: "", resource: "secrets" }),
  );
  expect(error).toMatchObject({ field: "spec" });
  expect(error?.message).toContain("field is immutable");
});

const of = (status: object): StorageVersionMigration => migration({ group: "", resource: "pods" }, status);

test.each([
  { name: "a checkpoint", status: { resourceVersion: "7" }, old: {}, want: [] },
  {
    name: "no checkpoint",
    status: {},
    old: {},
    want: ['status.resourceVersion: Invalid value: "": resource version is not well formed: '],
  },
  {
    name: "another checkpoint",
    status: { resourceVersion: "8" },
    old: { resourceVersion: "7" },
    want: ['status.resourceVersion: Invalid value: "8": field is immutable'],
  },
])("$name in the status", ({ status, old, want }) => {
  expect(texts(validateMigrationStatus(of(status), of(old)))).toEqual(want);
});

test.each([
  {
    now: [condition("Succeeded"), condition("Failed")],
    old: [],
    says: "Both success and failed conditions cannot be true at the same time",
  },
  {
    now: [condition("Succeeded"), condition("Running")],
    old: [],
    says: "Running condition cannot be true when success condition is true",
  },
  {
    now: [condition("Failed"), condition("Running")],
    old: [],
    says: "Running condition cannot be true when failed condition is true",
  },
  { now: [], old: [condition("Succeeded")], says: "Success condition cannot be set to false once it is true" },
  { now: [], old: [condition("Failed")], says: "Failed condition cannot be set to false once it is true" },
])("$says", ({ now, old, says }) => {
  const errors = validateMigrationStatus(
    of({ resourceVersion: "7", conditions: now }),
    of({ resourceVersion: "7", conditions: old }),
  );
  expect(errors).toHaveLength(1);
  expect(errors[0]?.message).toContain(says);
});

test("conditions are conditions", () => {
  const bad = [{ type: "", status: "Maybe", reason: "9" }, condition("Running"), condition("Running")];
  const fields = validateMigrationStatus(of({ resourceVersion: "7", conditions: bad }), of({})).map(({ field }) => field);
  expect(fields).toEqual([
    "status.conditions[0].type",
    "status.conditions[0].type",
    "status.conditions[0].status",
    "status.conditions[0].lastTransitionTime",
    "status.conditions[0].reason",
    "status.conditions[2]",
  ]);
});
