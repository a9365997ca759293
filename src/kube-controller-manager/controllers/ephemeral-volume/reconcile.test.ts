import { expect, test } from "vitest";
import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { reconcile } from "./reconcile.ts";

const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
const pod = (metadata: Partial<Pod["metadata"]> = {}): Pod => ({
  metadata: { name: "p", namespace: "ns", uid: "u", ...metadata },
  spec: {
    containers: [],
    volumes: [
      { name: "plain", emptyDir: {} },
      { name: "scratch", ephemeral: { volumeClaimTemplate: { metadata: { labels: { a: "b" } }, spec } } },
    ],
  },
});
const claimOf = (uid: string): PersistentVolumeClaim => ({
  metadata: { name: "p-scratch", ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid, controller: true }] },
  spec: {},
});
const run = (of: Pod, claim?: PersistentVolumeClaim) => reconcile({ pod: of, claimOf: () => claim });

test("a claim is made for each ephemeral volume, owned by the pod", () => {
  expect(run(pod())).toMatchObject([
    {
      type: "create",
      volume: "scratch",
      claim: {
        metadata: {
          name: "p-scratch",
          labels: { a: "b" },
          ownerReferences: [{ kind: "Pod", name: "p", uid: "u", controller: true, blockOwnerDeletion: true }],
        },
        spec,
      },
    },
  ]);
});

test("the pod's own claim is left alone, another's is told of", () => {
  expect(run(pod(), claimOf("u"))).toEqual([]);
  expect(run(pod(), claimOf("other"))).toMatchObject([
    { type: "conflict", message: "PVC ns/p-scratch was not created for pod ns/p (pod is not owner)" },
  ]);
});

test("a pod that goes gets nothing more", () => {
  expect(run(pod({ deletionTimestamp: "2030-01-01T00:00:00Z" }))).toEqual([]);
});
