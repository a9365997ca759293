import { expect, test } from "vitest";
import { viewManagers } from "./view-fields.ts";

const replicas = [{ object: ["spec", "replicas"], view: ["spec", "replicas"] }];

test("owners of the object's field own the view's", () => {
  const entry = {
    manager: "m",
    operation: "Update",
    apiVersion: "apps/v1",
    time: "2024-01-01T00:00:00Z",
    fieldsType: "FieldsV1",
  };
  const owner = { ...entry, fieldsV1: { "f:spec": { "f:paused": {}, "f:replicas": {} } } };
  const other = { ...entry, manager: "n", fieldsV1: { "f:spec": { "f:paused": {} } } };
  const want = [{ ...entry, apiVersion: "autoscaling/v1", fieldsV1: { "f:spec": { "f:replicas": {} } } }];
  expect(viewManagers([owner, other], replicas, "autoscaling/v1")).toEqual(want);
});

test("a field that nobody owns has no entry", () => {
  expect(viewManagers(undefined, replicas, "autoscaling/v1")).toBeUndefined();
});
