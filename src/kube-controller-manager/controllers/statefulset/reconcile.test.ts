import { expect, test } from "vitest";
import type { ControllerRevision, StatefulSet, StatefulSetSpec } from "#api/generated/apps/v1.ts";
import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { constructHistory } from "./history.ts";
import { newMember } from "./new-pods.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";

const NOW = Date.parse("2026-01-01T01:00:00Z");
const EARLIER = "2026-01-01T00:00:00Z";
const template = (image: string): StatefulSetSpec["template"] => ({
  metadata: { labels: { app: "db" } },
  spec: { containers: [{ name: "c", image }] },
});

function newSet(spec: Partial<StatefulSetSpec> = {}, status: StatefulSet["status"] = { replicas: 0 }): StatefulSet {
  const updateStrategy = { type: "RollingUpdate", rollingUpdate: { partition: 0 } };
  return {
    metadata: { name: "db", namespace: "ns", uid: "set", generation: 1 },
    spec: {
      replicas: 3,
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      template: template("a"),
      updateStrategy,
      ...spec,
    },
    status,
  };
}

/** The revisions that the set's templates made, one after the other. */
function revisionsOf(...sets: StatefulSet[]): ControllerRevision[] {
  const revisions: ControllerRevision[] = [];
  for (const set of sets) {
    const { update, change } = constructHistory(set, revisions);
    if (change === "create") revisions.push(update);
  }
  return revisions;
}

interface PodOptions {
  readonly phase?: string;
  readonly ready?: boolean;
  readonly going?: boolean;
  readonly revision?: ControllerRevision;
}

function pod(set: StatefulSet, ordinal: number, options: PodOptions = {}): Pod {
  const { phase = "Running", ready = true, going = false, revision = revisionsOf(set)[0] } = options;
  if (revision === undefined) throw new Error("no revision");
  const made = newMember({ ...set, spec: { ...set.spec, updateStrategy: {} } }, revision, revision, ordinal);
  const condition = { type: "Ready", status: ready ? "True" : "False", lastTransitionTime: EARLIER };
  const metadata = { ...made.metadata, uid: `pod-${ordinal}`, ...(going ? { deletionTimestamp: EARLIER } : {}) };
  return { ...made, metadata, status: { phase, conditions: [condition] } };
}

function observed(set: StatefulSet, pods: Pod[], more: Partial<Observed> = {}): Observed {
  const empty = { adoptPods: [], releasePods: [], adoptRevisions: [] };
  return { set, pods, revisions: revisionsOf(set), claim: () => undefined, nowMs: NOW, ...empty, ...more };
}

/** `create db-0`, `outdated db-2`, ...; phases apart by `|`. */
function told(actions: readonly { readonly type: string }[]): string {
  const words = (actions as readonly Action[]).flatMap((action) => {
    switch (action.type) {
      case "runSteps":
        return [action.steps.map((steps) => steps.map((step) => `${step.type} ${step.pod.metadata.name}`).join("+")).join(", ")];
      case "deleteOutdated":
        return [`outdated ${action.pods.map(({ metadata }) => metadata.name).join(", ")}`];
      case "updateStatus":
        return [];
      default:
        return [action.type];
    }
  });
  return words.join(" | ");
}

const set = newSet();
const parallel = newSet({ podManagementPolicy: "Parallel" });
const all = (of: StatefulSet, options?: PodOptions): Pod[] => [0, 1, 2].map((ordinal) => pod(of, ordinal, options));

test.each<[string, Observed, string]>([
  ["the first pod comes alone", observed(set, []), "create db-0"],
  ["the next waits until it is ready", observed(set, [pod(set, 0, { ready: false })]), ""],
  ["and comes then", observed(set, [pod(set, 0)]), "create db-1"],
  ["in parallel all come", observed(parallel, []), "create db-0, create db-1, create db-2"],
  ["a complete set rests", observed(set, all(set)), ""],
  ["a pod that ended is replaced", observed(set, [pod(set, 0, { phase: "Failed" })]), "delete db-0"],
  ["unless it is going already", observed(set, [pod(set, 0, { phase: "Failed", going: true })]), ""],
  ["a going pod is waited for", observed(set, [pod(set, 0, { going: true })]), ""],
  ["a gap is filled first", observed(set, [pod(set, 0), pod(set, 2)]), "create db-1"],
  ["ordinals may start higher", observed(newSet({ replicas: 1, ordinals: { start: 5 } }), []), "create db-5"],
  ["the highest of those too many goes first", observed(newSet({ replicas: 1 }), all(set)), "delete db-2"],
  [
    "in parallel all of them",
    observed(newSet({ replicas: 1, podManagementPolicy: "Parallel" }), all(parallel)),
    "delete db-2, delete db-1",
  ],
  ["not while a wanted one is not ready", observed(newSet({ replicas: 1 }), [pod(set, 0, { ready: false }), pod(set, 1)]), ""],
  [
    "not before a lower one that is not ready",
    observed(newSet({ replicas: 1 }), [pod(set, 0), pod(set, 1, { ready: false }), pod(set, 2, { ready: false })]),
    "",
  ],
  [
    "one that all wait for may go",
    observed(newSet({ replicas: 1 }), [pod(set, 0), pod(set, 1, { ready: false })]),
    "delete db-1",
  ],
  [
    "lost labels are put back",
    observed(newSet({ replicas: 1 }), [
      {
        ...pod(set, 0),
        metadata: {
          ...pod(set, 0).metadata,
          labels: { app: "db", "controller-revision-hash": revisionsOf(set)[0]?.metadata.name ?? "" },
        },
      },
    ]),
    "update db-0",
  ],
  [
    "a new template is recorded first",
    observed(newSet({ template: template("b") }), all(set), { revisions: revisionsOf(set) }),
    "createRevision",
  ],
  ["what is nobody's is taken over first", observed(set, [], { adoptPods: [pod(set, 0)] }), "claimPods"],
  ["a set that is going does nothing", observed({ ...set, metadata: { ...set.metadata, deletionTimestamp: EARLIER } }, []), ""],
])("%s", (_name, input, want) => {
  expect(told(reconcile(input))).toBe(want);
});

const next = newSet({ template: template("b") });
const [first, second] = revisionsOf(set, next);
const updating = (strategy: StatefulSetSpec["updateStrategy"], pods: Pod[], spec: Partial<StatefulSetSpec> = {}): Observed => {
  const status = { replicas: 3, currentRevision: first?.metadata.name ?? "" };
  const changed = newSet(
    { template: template("b"), ...(strategy === undefined ? {} : { updateStrategy: strategy }), ...spec },
    status,
  );
  return observed(changed, pods, { revisions: revisionsOf(set, next) });
};
const rolling = (rollingUpdate: { partition?: number; maxUnavailable?: number | string }) => ({
  type: "RollingUpdate",
  rollingUpdate,
});
const fresh = (ordinal: number, options: PodOptions = {}): Pod =>
  pod(next, ordinal, { ...options, ...(second === undefined ? {} : { revision: second }) });

test.each<[string, Observed, string]>([
  ["the highest ordinal is updated first", updating(rolling({ partition: 0 }), all(set)), "outdated db-2"],
  ["the next when it is ready", updating(rolling({ partition: 0 }), [pod(set, 0), pod(set, 1), fresh(2)]), "outdated db-1"],
  ["and not before", updating(rolling({ partition: 0 }), [pod(set, 0), pod(set, 1), fresh(2, { ready: false })]), ""],
  ["below the partition nothing is", updating(rolling({ partition: 2 }), [pod(set, 0), pod(set, 1), fresh(2)]), ""],
  [
    "several at once where they may be down",
    updating(rolling({ partition: 0, maxUnavailable: 2 }), all(set)),
    "outdated db-2, db-1",
  ],
  ["a small percentage is one", updating(rolling({ partition: 0, maxUnavailable: "1%" }), all(set)), "outdated db-2"],
  [
    "fewer when some are down",
    updating(rolling({ partition: 0, maxUnavailable: 2 }), [pod(set, 0), pod(set, 1), fresh(2, { ready: false })], {
      podManagementPolicy: "Parallel",
    }),
    "outdated db-1",
  ],
  ["OnDelete updates nothing", updating({ type: "OnDelete" }, all(set)), ""],
])("%s", (_name, input, want) => {
  expect(told(reconcile(input))).toBe(want);
});

test.each<[string, number, StatefulSetSpec["updateStrategy"], string]>([
  ["a pod below the partition is made from the current revision", 0, rolling({ partition: 1 }), "a"],
  ["one above it from the new one", 1, rolling({ partition: 1 }), "b"],
  ["OnDelete makes new ones", 0, { type: "OnDelete" }, "b"],
])("%s", (_name, ordinal, strategy, image) => {
  if (first === undefined || second === undefined) throw new Error("no revisions");
  const updated = newSet({ template: template("b"), ...(strategy === undefined ? {} : { updateStrategy: strategy }) });
  expect(newMember(updated, first, second, ordinal).spec.containers?.[0]?.image).toBe(image);
});

test("a member has name, labels, network name and claims of its own", () => {
  const claims: PersistentVolumeClaim[] = [{ metadata: { name: "data" }, spec: {} }];
  const withClaims = newSet({ volumeClaimTemplates: claims });
  const [revision] = revisionsOf(withClaims);
  if (revision === undefined) throw new Error("no revision");
  const { metadata, spec } = newMember(withClaims, revision, revision, 4);
  expect(metadata.name).toBe("db-4");
  expect(metadata.labels).toEqual({
    app: "db",
    "statefulset.kubernetes.io/pod-name": "db-4",
    "apps.kubernetes.io/pod-index": "4",
    "controller-revision-hash": revision.metadata.name,
  });
  expect([spec.hostname, spec.subdomain, spec.volumes]).toEqual([
    "db-4",
    "db",
    [{ name: "data", persistentVolumeClaim: { claimName: "data-db-4" } }],
  ]);
});

test("a template that comes back gets a new number, and old revisions go", () => {
  const third = newSet({ template: template("c") });
  const revisions = revisionsOf(set, next, third);
  const back = reconcile(observed(set, [], { revisions }));
  expect(back.map((action) => (action.type === "renumberRevision" ? action.revision.revision : action.type))).toEqual([4]);
  const status = { replicas: 0, currentRevision: revisions[2]?.metadata.name ?? "" };
  const limited = newSet({ template: template("c"), revisionHistoryLimit: 1, replicas: 0 }, status);
  const gone = reconcile(observed(limited, [], { revisions })).flatMap((action) =>
    action.type === "deleteRevision" ? [action.revision.revision] : [],
  );
  expect(gone).toEqual([1]);
});

test("time alone makes a pod available", () => {
  const actions = reconcile(observed(newSet({ minReadySeconds: 7200, replicas: 1 }), [pod(set, 0)]));
  expect(actions.find(({ type }) => type === "requeue")).toEqual({ type: "requeue", afterMs: 7_200_000 });
});
