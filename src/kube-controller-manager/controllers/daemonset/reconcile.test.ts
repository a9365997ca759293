import { expect, test } from "vitest";
import type { ControllerRevision, DaemonSet, DaemonSetSpec } from "#api/generated/apps/v1.ts";
import type { Node, Pod, Taint } from "#api/generated/core/v1.ts";
import { keyOf } from "#client/object-meta.ts";
import { DaemonLayout } from "./daemon-layout.ts";
import { newDaemonPod, REVISION_HASH } from "./daemon-pods.ts";
import { constructHistory } from "./history.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";

const NOW = Date.parse("2026-01-01T01:00:00Z");
const EARLIER = "2026-01-01T00:00:00Z";

function newSet(spec: Partial<DaemonSetSpec> = {}, image = "a"): DaemonSet {
  return {
    metadata: { name: "d", namespace: "ns", uid: "d", generation: 1 },
    spec: {
      selector: { matchLabels: { app: "d" } },
      template: { metadata: { labels: { app: "d" } }, spec: { containers: [{ name: "c", image }] } },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      ...spec,
    },
  };
}

const set = newSet();
const revision = constructHistory(set, []).current;
const hash = revision.metadata.labels?.[REVISION_HASH] ?? "";
const node = (name: string, taints: Taint[] = [], labels = {}): Node => ({ metadata: { name, labels }, spec: { taints } });
const nodes = [node("a"), node("b"), node("c")];

interface PodOptions {
  readonly ready?: boolean;
  readonly phase?: string;
  readonly going?: boolean;
  readonly hash?: string;
  readonly name?: string;
}

function pod(
  on: string,
  { ready = true, phase = "Running", going = false, hash: own = hash, name = `d-${on}` }: PodOptions = {},
): Pod {
  const made = newDaemonPod(set, on, own);
  const times = { creationTimestamp: EARLIER, ...(going ? { deletionTimestamp: EARLIER } : {}) };
  const condition = { type: "Ready", status: ready ? "True" : "False", lastTransitionTime: EARLIER };
  return {
    ...made,
    metadata: { ...made.metadata, name, uid: name, ...times },
    spec: { ...made.spec, nodeName: on },
    status: { phase, conditions: [condition] },
  };
}

interface Given extends Pick<Observed, "set" | "mayManage" | "failedBackoffMs"> {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly revisions: readonly ControllerRevision[];
}

function observed(more: Partial<Given>): Observed {
  const given = { set, nodes, pods: [], revisions: [revision], mayManage: true, failedBackoffMs: new Map(), ...more };
  const history = constructHistory(given.set, given.revisions);
  const daemons = new DaemonLayout(given.set, history.current.metadata.labels?.[REVISION_HASH] ?? "");
  for (const one of given.nodes) daemons.setNode(one.metadata.name ?? "", one);
  for (const one of given.pods) daemons.setPod(keyOf(one), one);
  daemons.settle(NOW);
  return { ...given, history, daemons, adoptPods: [], releasePods: [] };
}

function told(input: Observed): string {
  const words = (reconcile(input) as readonly Action[]).flatMap((action) => {
    if (action.type === "changePods") {
      const { addOn, remove } = action.changes;
      return [...addOn.map((name) => `+${name}`), ...remove.map(({ metadata }) => `-${metadata.name}`)];
    }
    return action.type === "updateStatus" || (action.type as string) === "requeue" ? [] : [action.type];
  });
  return words.join(" ");
}

const everywhere = [pod("a"), pod("b"), pod("c")];
const old = (on: string, options: PodOptions = {}): Pod => pod(on, { hash: "old", ...options });
const surging = newSet({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } });

const updating = (rollingUpdate: object): DaemonSet => newSet({ updateStrategy: { type: "RollingUpdate", rollingUpdate } });
const allAtOnce = updating({ maxUnavailable: "100%" });
const surgingAll = updating({ maxUnavailable: 0, maxSurge: "100%" });
const many = Array.from({ length: 300 }, (_, i) => `n${i}`);
const unbound = ({ metadata, spec: { nodeName: _, ...spec } }: Pod): Pod => ({ metadata, spec });

test.each<[string, Observed, string]>([
  ["every node gets a pod", observed({}), "+a +b +c"],
  ["none while earlier ones do not show", observed({ mayManage: false }), ""],
  ["where one is, nothing is done", observed({ pods: everywhere }), ""],
  ["a second one goes", observed({ pods: [...everywhere, pod("a", { name: "x" })] }), "-x"],
  ["a tainted node is left out", observed({ nodes: [node("a", [{ key: "k", effect: "NoSchedule" }])] }), ""],
  ["but keeps what it has", observed({ nodes: [node("a", [{ key: "k", effect: "NoSchedule" }])], pods: [pod("a")] }), ""],
  ["unless it must go", observed({ nodes: [node("a", [{ key: "k", effect: "NoExecute" }])], pods: [pod("a")] }), "-d-a"],
  [
    "a node in trouble has its daemon",
    observed({ nodes: [node("a", [{ key: "node.kubernetes.io/not-ready", effect: "NoExecute" }])] }),
    "+a",
  ],
  [
    "a node selector counts",
    observed({
      set: newSet({ template: { metadata: { labels: { app: "d" } }, spec: { containers: [], nodeSelector: { disk: "ssd" } } } }),
      nodes: [node("a"), node("b", [], { disk: "ssd" })],
      revisions: [],
    }),
    "createRevision +b",
  ],
  [
    "a failed pod is removed and told",
    observed({ nodes: [node("a")], pods: [pod("a", { phase: "Failed" })] }),
    "reportEnded -d-a",
  ],
  [
    "not again at once",
    observed({ nodes: [node("a")], pods: [pod("a", { phase: "Failed" })], failedBackoffMs: new Map([["a", 500]]) }),
    "",
  ],
  ["an empty selector is refused", observed({ set: newSet({ selector: {} }) }), "complainOfSelector"],
  ["old pods make way one by one", observed({ pods: [old("a"), old("b"), old("c")] }), "-d-a"],
  ["not while one is down", observed({ pods: [pod("a", { ready: false }), old("b"), old("c")] }), ""],
  ["broken ones at once", observed({ pods: [old("a", { ready: false }), old("b"), pod("c")] }), "-d-a"],
  [
    "OnDelete leaves them",
    observed({ set: newSet({ updateStrategy: { type: "OnDelete" } }), pods: [old("a"), old("b"), old("c")] }),
    "",
  ],
  ["a surge puts new ones beside them", observed({ set: surging, pods: [old("a"), old("b"), old("c")] }), "+a"],
  [
    "and removes the old when the new is available",
    observed({ set: surging, pods: [old("a"), pod("a", { name: "new" }), pod("b"), pod("c")] }),
    "-d-a",
  ],
])("%s", (_name, input, want) => {
  expect(told(input)).toBe(want);
});

test.each<[string, Partial<Given>]>([
  ["new pods", { pods: [] }],
  ["pods that are not to be there", { nodes: [], pods: many.map((name) => pod(name)).map(unbound) }],
  ["pods that failed", { pods: many.map((name) => pod(name, { phase: "Failed" })) }],
  ["old pods", { set: allAtOnce, pods: many.map((name) => old(name)) }],
  ["new pods beside old ones", { set: surgingAll, pods: many.map((name) => old(name)) }],
])("no more than a burst of %s at a time", (_name, given) => {
  const words = told(observed({ nodes: many.map((name) => node(name)), ...given })).split(" ");
  expect(words.filter((word) => /^[+-]/.test(word)).length).toBe(250);
});

test("the status counts nodes", () => {
  const input = observed({
    pods: [pod("a"), pod("b", { ready: false }), pod("x")],
    nodes: [...nodes, node("x", [{ key: "k", effect: "NoSchedule" }])],
  });
  const action = (reconcile(input) as readonly Action[]).find(({ type }) => type === "updateStatus");
  expect(action?.type === "updateStatus" && action.status).toEqual({
    desiredNumberScheduled: 3,
    currentNumberScheduled: 2,
    numberMisscheduled: 1,
    numberReady: 1,
    updatedNumberScheduled: 2,
    numberAvailable: 1,
    numberUnavailable: 2,
    observedGeneration: 1,
  });
});

test("a daemon pod is bound by affinity and stays on nodes in trouble", () => {
  const { metadata, spec } = newDaemonPod(set, "a", hash);
  expect(metadata.labels).toEqual({ app: "d", [REVISION_HASH]: hash });
  expect(spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms).toEqual([
    { matchFields: [{ key: "metadata.name", operator: "In", values: ["a"] }] },
  ]);
  expect(spec.tolerations?.map(({ key }) => key?.replace("node.kubernetes.io/", ""))).toEqual([
    "not-ready",
    "unreachable",
    "disk-pressure",
    "memory-pressure",
    "pid-pressure",
    "unschedulable",
  ]);
});
