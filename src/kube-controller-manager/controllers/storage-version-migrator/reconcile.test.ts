import { expect, test } from "vitest";
import type { StorageVersionMigration } from "#api/generated/storagemigration/v1beta1.ts";
import type { DiscoveredResource } from "../../framework/discovery.ts";
import { reconcile, withCondition } from "./reconcile.ts";

const NOW = Date.UTC(2026, 0, 1, 0, 10);

const resource: DiscoveredResource = {
  id: { group: "a.example.com", version: "v1", resource: "things" },
  kind: "Thing",
  namespaced: true,
  verbs: ["get", "list", "patch", "update"],
  preferred: true,
};

function migration(status: object = {}, created = "2026-01-01T00:00:00Z"): StorageVersionMigration {
  const object = {
    metadata: { name: "m", creationTimestamp: created },
    spec: { resource: { group: "a.example.com", resource: "things" } },
    status,
  };
  return object as StorageVersionMigration;
}

test.each([
  { name: "a new one gets a checkpoint", status: {}, resource, want: ["checkpoint"] },
  { name: "of what is not served it fails", status: {}, resource: undefined, want: ["fail"] },
  { name: "of what cannot be written it fails", status: {}, resource: { ...resource, verbs: ["list"] }, want: ["fail"] },
  { name: "with a checkpoint it runs", status: { resourceVersion: "5" }, resource, want: ["migrate"] },
  { name: "of what went it fails", status: { resourceVersion: "5" }, resource: undefined, want: ["fail"] },
  {
    name: "what succeeded is left alone",
    status: { resourceVersion: "5", conditions: [{ type: "Succeeded", status: "True" }] },
    resource,
    want: [],
  },
  { name: "what failed is left alone", status: { conditions: [{ type: "Failed", status: "True" }] }, resource, want: [] },
])("$name", ({ status, resource: found, want }) => {
  const actions = reconcile({ migration: migration(status), resource: found, now: NOW });
  expect(actions.map(({ type }) => type)).toEqual(want);
});

test("what has just gone is waited for", () => {
  const young = migration({ resourceVersion: "5" }, "2026-01-01T00:09:30Z");
  expect(reconcile({ migration: young, resource: undefined, now: NOW })).toEqual([{ type: "requeue", afterMs: 1000 }]);
});

test("what ended runs no longer", () => {
  const running = withCondition({ resourceVersion: "5" }, "Running", "", "2026-01-01T00:00:00Z");
  expect(withCondition(running, "Failed", "why", "2026-01-01T00:00:01Z").conditions).toEqual([
    {
      type: "Running",
      status: "False",
      reason: "StorageVersionMigrationInProgress",
      message: "",
      lastTransitionTime: "2026-01-01T00:00:01Z",
    },
    {
      type: "Failed",
      status: "True",
      reason: "StorageVersionMigrationFailed",
      message: "why",
      lastTransitionTime: "2026-01-01T00:00:01Z",
    },
  ]);
});
