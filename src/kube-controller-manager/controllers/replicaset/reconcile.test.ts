import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { selectorFromSet } from "#apimachinery/labels/selector.ts";
import { seededRandom } from "#base/random.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import { chooseForDeletion } from "./deletion-rank.ts";
import { groupPods, type PodGroup } from "./pod-census.ts";
import { type Observed, reconcile } from "./reconcile.ts";
import type { ReplicaOwner } from "./replica-owner.ts";
import { calculateStatus } from "./status.ts";

const NOW = Date.parse("2030-01-01T00:00:00Z");
const owner = (replicas: number, more: Partial<ReplicaOwner> = {}): ReplicaOwner => ({
  metadata: { name: "r", namespace: "ns", uid: "owner", generation: 1 },
  replicas,
  minReadySeconds: 0,
  selector: selectorFromSet({ app: "r" }),
  template: { metadata: { labels: { app: "r" } } },
  status: { replicas: 0 },
  ...more,
});

interface PodOptions {
  readonly owner?: string | null;
  readonly labels?: Record<string, string>;
  readonly phase?: string;
  readonly ready?: string;
  readonly node?: string;
  readonly deleted?: boolean;
  readonly cost?: string;
  readonly restarts?: number;
  readonly created?: string;
}

function pod(name: string, options: PodOptions = {}): Pod {
  const { owner: uid = "owner", labels = { app: "r" }, phase = "Running", ready, node = "n" } = options;
  const reference = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "r", uid: uid ?? "", controller: true };
  return {
    metadata: {
      name,
      uid: name,
      labels,
      ...(uid === null ? {} : { ownerReferences: [reference] }),
      ...(options.deleted ? { deletionTimestamp: "2029-12-31T00:00:00Z" } : {}),
      ...(options.cost === undefined ? {} : { annotations: { "controller.kubernetes.io/pod-deletion-cost": options.cost } }),
      creationTimestamp: options.created ?? "2029-01-01T00:00:00Z",
    },
    spec: { containers: [], ...(node === "" ? {} : { nodeName: node }) },
    status: {
      phase,
      ...(ready === undefined ? {} : { conditions: [{ type: "Ready", status: "True", lastTransitionTime: ready }] }),
      containerStatuses: [{ name: "c", image: "", imageID: "", ready: true, restartCount: options.restarts ?? 0 }],
    },
  };
}

interface Case {
  readonly name: string;
  readonly observed: Partial<Pick<Observed, "mayManage">> & { readonly owner: ReplicaOwner; readonly pods?: readonly Pod[] };
  readonly want: readonly string[];
}

const cases: readonly Case[] = [
  { name: "missing pods are made", observed: { owner: owner(3), pods: [pod("a")] }, want: ["create 2", "status 1"] },
  { name: "not more than a burst at once", observed: { owner: owner(900) }, want: ["create 500", "status 0"] },
  {
    name: "surplus pods go, the pending one first",
    observed: { owner: owner(1), pods: [pod("a"), pod("b", { phase: "Pending" })] },
    want: ["delete b", "status 2"],
  },
  {
    name: "nothing is managed while earlier writes do not show",
    observed: { owner: owner(3), mayManage: false },
    want: ["status 0"],
  },
  {
    name: "an owner that is being deleted only tells its status",
    observed: {
      owner: owner(3, { metadata: { uid: "owner", deletionTimestamp: "x" } }),
      pods: [pod("a", { owner: null })],
    },
    want: ["status 0"],
  },
  {
    name: "orphans are adopted and strangers released",
    observed: {
      owner: owner(1),
      pods: [pod("a", { owner: null }), pod("b", { labels: { app: "other" } }), pod("c", { owner: "else" })],
    },
    want: ["claim +a -b", "status 1"],
  },
  {
    name: "finished and terminating pods do not count",
    observed: { owner: owner(1), pods: [pod("a", { phase: "Succeeded" }), pod("b", { deleted: true })] },
    want: ["create 1", "status 0 terminating 1"],
  },
  {
    name: "a ready pod that is not available yet is looked at when it is",
    observed: { owner: owner(1, { minReadySeconds: 10 }), pods: [pod("a", { ready: "2029-12-31T23:59:57Z" })] },
    want: ["status 1", "requeue 7000"],
  },
];

test.each(cases)("$name", ({ observed: { pods = [], ...observed }, want }) => {
  const owned = pods.filter((pod) => controllerOf(pod)?.uid === "owner");
  const orphans = pods.filter((pod) => controllerOf(pod) === undefined);
  const seen = { groups: groupPods(owned), owned: () => owned, orphans, related: () => [], mayManage: true, nowMs: NOW };
  const actions = reconcile({ ...seen, ...observed });
  const names = (pods: readonly Pod[]): string => pods.map(({ metadata }) => metadata.name).join();
  const total = ({ groups }: { readonly groups: readonly PodGroup[] }, what: "active" | "terminating"): number =>
    groups.reduce((sum, group) => sum + group[what], 0);
  expect(
    actions.map((action) => {
      switch (action.type) {
        case "createPods":
          return `create ${action.count}`;
        case "deletePods":
          return `delete ${names(action.pods)}`;
        case "claim":
          return `claim +${names(action.adopt)} -${names(action.release)}`;
        case "updateStatus":
          return `status ${total(action, "active")}${total(action, "terminating") > 0 ? ` terminating ${total(action, "terminating")}` : ""}`;
        default:
          return `requeue ${action.afterMs}`;
      }
    }),
  ).toEqual(want);
});

const ready = "2029-06-01T00:00:00Z";
test.each([
  { name: "unassigned before assigned", pods: [pod("a"), pod("b", { node: "" })], want: "b" },
  { name: "unknown before running", pods: [pod("a"), pod("b", { phase: "Unknown" })], want: "b" },
  { name: "not ready before ready", pods: [pod("a", { ready }), pod("b")], want: "b" },
  { name: "lower deletion cost", pods: [pod("a", { ready, cost: "10" }), pod("b", { ready, cost: "-5" })], want: "b" },
  { name: "crowded nodes", pods: [pod("a", { ready, node: "x" }), pod("b", { ready }), pod("c", { ready })], want: "b" },
  { name: "ready for a shorter time", pods: [pod("a", { ready }), pod("b", { ready: "2029-12-31T00:00:00Z" })], want: "b" },
  { name: "more restarts", pods: [pod("a", { ready }), pod("b", { ready, restarts: 2 })], want: "b" },
  { name: "younger", pods: [pod("a", { ready }), pod("b", { ready, created: "2029-12-31T00:00:00Z" })], want: "b" },
])("goes first: $name", ({ pods, want }) => {
  expect(chooseForDeletion(pods, pods, 1, NOW).map(({ metadata }) => metadata.name)).toEqual([want]);
});

test.each([1, 7, 59])("of sixty pods those %i go that a whole order has first", (count) => {
  const random = seededRandom(count);
  const pods = Array.from({ length: 60 }, (_, i) => {
    const time = new Date(NOW - 2 ** (10 + random.float() * 20)).toISOString();
    return pod(`p${i}`, {
      node: `n${random.int(9)}`,
      restarts: random.int(3),
      created: time,
      ...(random.float() < 0.5 ? { ready: time } : {}),
    });
  });
  const names = (chosen: readonly Pod[]): (string | undefined)[] => chosen.map(({ metadata }) => metadata.name);
  expect(names(chooseForDeletion(pods, pods, count, NOW))).toEqual(names(chooseForDeletion(pods, pods, 60, NOW)).slice(0, count));
});

test("the status counts, and tells why pods could not be made", () => {
  const active = [pod("a", { ready }), pod("b", { labels: { app: "r", more: "x" } })];
  const status = calculateStatus(owner(3), {
    groups: groupPods(active),
    error: new Error("quota"),
    countTerminating: true,
    nowMs: NOW,
  });
  expect(status).toEqual({
    replicas: 2,
    fullyLabeledReplicas: 2,
    readyReplicas: 1,
    availableReplicas: 1,
    terminatingReplicas: 0,
    observedGeneration: 1,
    conditions: [
      {
        type: "ReplicaFailure",
        status: "True",
        lastTransitionTime: "2030-01-01T00:00:00Z",
        reason: "FailedCreate",
        message: "quota",
      },
    ],
  });
});
