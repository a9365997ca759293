import { expect, test } from "vitest";
import type { Deployment, DeploymentSpec, DeploymentStatus, ReplicaSet } from "#api/generated/apps/v1.ts";
import { newReplicaSetAnnotations } from "./annotations.ts";
import { reconcile } from "./reconcile.ts";

const NOW = Date.parse("2030-01-01T00:00:00Z");
const template = (image: string) => ({ metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }] } });

function deployment(replicas: number, spec: Partial<DeploymentSpec> = {}, status: DeploymentStatus = {}): Deployment {
  return {
    metadata: { name: "web", namespace: "ns", uid: "d", generation: 1 },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      template: template("new"),
      ...spec,
    },
    status,
  };
}

/** A ReplicaSet as `image:replicas/available`, last scaled when the Deployment had `desired` of at most `max`. */
function set(image: string, replicas: number, available: number, desired: number, max: number): ReplicaSet {
  const revision = image === "new" ? "2" : "1";
  return {
    metadata: {
      name: image,
      uid: image,
      labels: { app: "web" },
      creationTimestamp: image === "new" ? "2029-01-02T00:00:00Z" : "2029-01-01T00:00:00Z",
      generation: 1,
      annotations: {
        "deployment.kubernetes.io/revision": revision,
        "deployment.kubernetes.io/desired-replicas": String(desired),
        "deployment.kubernetes.io/max-replicas": String(max),
      },
      ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: "d", controller: true }],
    },
    spec: { replicas, selector: {}, template: template(image) },
    status: { replicas, availableReplicas: available, readyReplicas: available, observedGeneration: 1 },
  };
}

function decide(object: Deployment, candidates: readonly ReplicaSet[], running = false): string[] {
  return reconcile({ deployment: object, candidates, hasRunningPods: () => running, nowMs: NOW }).flatMap((action) => {
    switch (action.type) {
      case "scale":
        return `${action.replicaSet.metadata.name} ${action.replicaSet.spec.replicas}->${action.replicas}`;
      case "createReplicaSet":
        return `create ${action.replicaSet.spec.replicas} revision ${action.revision}`;
      case "deleteReplicaSet":
        return `delete ${action.replicaSet.metadata.name}`;
      case "event":
        return action.reason;
      case "rollback":
        return `${action.reason} ${action.deployment.spec.template.spec?.containers?.[0]?.image}`;
      default:
        return [];
    }
  });
}

const surge = (maxSurge: number | string, maxUnavailable: number | string): Partial<DeploymentSpec> => ({
  strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } },
});
const recreate: Partial<DeploymentSpec> = { strategy: { type: "Recreate" } };

test.each([
  { name: "a new deployment makes its ReplicaSet whole", object: deployment(3), sets: [], want: ["create 3 revision 1"] },
  {
    name: "a rollout makes the new one as large as the surge allows",
    object: deployment(10),
    sets: [set("old", 10, 10, 10, 13)],
    want: ["create 3 revision 2"],
  },
  {
    name: "then takes away what availability allows",
    object: deployment(10),
    sets: [set("old", 10, 10, 10, 13), set("new", 3, 0, 10, 13)],
    want: ["old 10->8"],
  },
  {
    name: "and grows into the room",
    object: deployment(10),
    sets: [set("old", 8, 8, 10, 13), set("new", 3, 0, 10, 13)],
    want: ["new 3->5"],
  },
  {
    name: "and waits when neither surge nor availability leaves room",
    object: deployment(10),
    sets: [set("old", 8, 8, 10, 13), set("new", 5, 0, 10, 13)],
    want: [],
  },
  {
    name: "without surge the old one shrinks first",
    object: deployment(3, surge(0, 1)),
    sets: [set("old", 3, 3, 3, 3), set("new", 0, 0, 3, 3)],
    want: ["old 3->2"],
  },
  {
    name: "pods that are not available go before others",
    object: deployment(4, surge(1, 1)),
    sets: [set("old", 4, 2, 4, 5), set("new", 1, 1, 4, 5)],
    want: ["old 4->2"],
  },
  {
    name: "scaling in the middle of a rollout is proportional",
    object: deployment(8),
    sets: [set("old", 3, 3, 4, 5), set("new", 2, 0, 4, 5)],
    want: ["old 3->6", "new 2->4"],
  },
  {
    name: "and so is scaling down",
    object: deployment(5),
    sets: [set("old", 8, 8, 10, 13), set("new", 5, 0, 10, 13)],
    want: ["old 8->4", "new 5->3"],
  },
  {
    name: "a paused deployment scales but does not roll",
    object: deployment(5, { paused: true }),
    sets: [set("old", 3, 3, 3, 4)],
    want: ["old 3->5"],
  },
  {
    name: "Recreate empties the old one first",
    object: deployment(2, recreate),
    sets: [set("old", 2, 2, 2, 2)],
    want: ["old 2->0"],
  },
  { name: "and waits for its pods", object: deployment(2, recreate), sets: [set("old", 0, 0, 2, 2)], running: true, want: [] },
  {
    name: "before it makes the new one",
    object: deployment(2, recreate),
    sets: [set("old", 0, 0, 2, 2)],
    want: ["create 2 revision 2"],
  },
  {
    name: "history beyond the limit is deleted when the rollout is complete",
    object: deployment(
      1,
      { revisionHistoryLimit: 0 },
      { updatedReplicas: 1, replicas: 1, availableReplicas: 1, observedGeneration: 1 },
    ),
    sets: [set("old", 0, 0, 1, 2), set("new", 1, 1, 1, 2)],
    want: ["delete old"],
  },
  {
    name: "an empty selector is refused",
    object: deployment(1, { selector: {} }),
    sets: [],
    want: ["SelectingAll"],
  },
])("$name", ({ object, sets, running, want }) => {
  expect(decide(object, sets, running)).toEqual(want);
});

test.each([
  { name: "a revision that is there", to: "1", want: ["DeploymentRollback old"] },
  { name: "a revision that is not", to: "7", want: ["DeploymentRollbackRevisionNotFound new"] },
])("rollback annotation: $name", ({ to, want }) => {
  const object = deployment(1);
  const annotations = { "deprecated.deployment.rollback.to": to };
  const sets = [set("old", 0, 0, 1, 2), set("new", 1, 1, 1, 2)];
  expect(decide({ ...object, metadata: { ...object.metadata, annotations } }, sets)).toEqual(want);
});

test.each([
  {
    name: "progress, then enough available",
    object: deployment(2),
    sets: [set("new", 2, 0, 2, 3)],
    want: ["Available False MinimumReplicasUnavailable", "Progressing True ReplicaSetUpdated"],
  },
  {
    name: "everything available",
    object: deployment(2),
    sets: [set("new", 2, 2, 2, 3)],
    want: ["Available True MinimumReplicasAvailable", "Progressing True NewReplicaSetAvailable"],
  },
  {
    name: "no progress within the deadline",
    object: deployment(
      2,
      {},
      {
        replicas: 2,
        updatedReplicas: 2,
        conditions: [
          { type: "Progressing", status: "True", reason: "ReplicaSetUpdated", lastUpdateTime: "2029-12-31T23:00:00Z" },
        ],
      },
    ),
    sets: [set("new", 2, 0, 2, 3)],
    want: ["Available False MinimumReplicasUnavailable", "Progressing False ProgressDeadlineExceeded"],
  },
  {
    name: "paused",
    object: deployment(2, { paused: true }),
    sets: [set("new", 2, 2, 2, 3)],
    want: ["Progressing Unknown DeploymentPaused", "Available True MinimumReplicasAvailable"],
  },
])("conditions: $name", ({ object, sets, want }) => {
  const actions = reconcile({ deployment: object, candidates: sets, hasRunningPods: () => false, nowMs: NOW });
  const update = actions.find((action) => action.type === "updateStatus");
  expect(update?.status.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).toEqual(want);
});

test("a ReplicaSet that becomes the new one again keeps its old revisions", () => {
  const annotations = newReplicaSetAnnotations(
    { ...deployment(1), metadata: { annotations: { a: "b", "kubectl.kubernetes.io/last-applied-configuration": "{}" } } },
    { "deployment.kubernetes.io/revision": "3", "deployment.kubernetes.io/revision-history": "1" },
    5,
  );
  expect(annotations).toEqual({
    a: "b",
    "deployment.kubernetes.io/revision": "5",
    "deployment.kubernetes.io/revision-history": "1,3",
  });
});
