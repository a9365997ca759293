import { expect, test } from "vitest";
import type { ObjectMeta, OwnerReference } from "#api/generated/meta/v1.ts";
import { type Random, seededRandom } from "#base/random.ts";
import type { DiscoveredResource } from "../../framework/discovery.ts";
import { type GraphNode, OwnerGraph } from "./graph.ts";
import { type OwnerState, reconcile } from "./reconcile.ts";

const resource: DiscoveredResource = {
  id: { group: "", version: "v1", resource: "configmaps" },
  kind: "ConfigMap",
  namespaced: true,
  verbs: [],
  preferred: true,
};
const reference = (name: string, blockOwnerDeletion = false): OwnerReference => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  name,
  uid: name,
  blockOwnerDeletion,
});
const meta = (name: string, owners: readonly string[] = [], more: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name,
  namespace: "ns",
  uid: name,
  ownerReferences: owners.map((owner) => reference(owner, true)),
  ...more,
});

function graphOf(...objects: ObjectMeta[]): OwnerGraph {
  const graph = new OwnerGraph();
  for (const object of objects) graph.upsert(resource, object);
  return graph;
}

function node(graph: OwnerGraph, uid: string): GraphNode {
  const found = graph.get(uid);
  if (found === undefined) throw new Error(uid);
  return found;
}

function decide(graph: OwnerGraph, metadata: ObjectMeta, states: Record<string, OwnerState> = {}): string[] {
  const owners = (metadata.ownerReferences ?? []).map((owner) => ({ reference: owner, state: states[owner.uid] ?? "solid" }));
  const actions = reconcile({ type: "item", node: node(graph, metadata.uid ?? ""), metadata, owners });
  return actions.map((action) => {
    switch (action.type) {
      case "delete":
        return `delete ${action.policy}`;
      case "setOwners":
        return `owners ${action.owners.map(({ uid, blockOwnerDeletion }) => `${uid}${blockOwnerDeletion ? "!" : ""}`).join()}`;
      case "look":
        return `look ${action.nodes.map(({ uid }) => uid).join()}`;
      case "removeFinalizer":
        return `remove ${action.finalizer}`;
      default:
        return action.type;
    }
  });
}

const going = (finalizer: string): Partial<ObjectMeta> => ({ deletionTimestamp: "x", finalizers: [finalizer] });

test("an object with a living owner stays", () => {
  expect(decide(graphOf(meta("o"), meta("d", ["o"])), meta("d", ["o"]))).toEqual([]);
});

test("without any owner left it goes", () => {
  expect(decide(graphOf(meta("d", ["o"])), meta("d", ["o"]), { o: "dangling" })).toEqual(["delete Background"]);
});

test("an owner that is gone is taken from the others", () => {
  expect(decide(graphOf(meta("d", ["o", "p"])), meta("d", ["o", "p"]), { o: "dangling" })).toEqual(["owners p!"]);
});

test("under an owner in the foreground, what has dependents goes in the foreground too", () => {
  const graph = graphOf(meta("o"), meta("d", ["o"]), meta("e", ["d"]));
  expect(decide(graph, meta("d", ["o"]), { o: "waiting" })).toEqual(["delete Foreground"]);
  expect(decide(graph, meta("e", ["d"]), { d: "waiting" })).toEqual(["delete Background"]);
});

test("a cycle in the foreground is broken", () => {
  const graph = graphOf(meta("a", ["b"], going("foregroundDeletion")), meta("b", ["a"]));
  expect(decide(graph, meta("b", ["a"]), { a: "waiting" })).toEqual(["owners a", "delete Foreground"]);
});

test("foreground deletion waits for blocking dependents and then ends", () => {
  const owner = meta("o", [], going("foregroundDeletion"));
  const graph = graphOf(owner, meta("d", ["o"]));
  expect(decide(graph, owner)).toEqual(["look d"]);
  graph.remove("d");
  expect(decide(graph, owner)).toEqual(["remove foregroundDeletion"]);
});

test("orphaning lets dependents go and then the owner", () => {
  const owner = meta("o", [], going("orphan"));
  const graph = graphOf(owner, meta("d", ["o"]));
  const actions = reconcile({ type: "orphaner", node: node(graph, "o"), metadata: owner });
  expect(actions.map(({ type }) => type)).toEqual(["orphanDependents", "removeFinalizer"]);
});

test("what the server no longer knows, or knows under another uid, is forgotten", () => {
  const graph = graphOf(meta("d"));
  const types = [undefined, meta("d", [], { uid: "other" })].map((metadata) =>
    reconcile({ type: "item", node: node(graph, "d"), metadata, owners: [] }).map(({ type }) => type),
  );
  expect(types).toEqual([["forget"], ["forget"]]);
});

test.each([
  {
    name: "a dependent of something unknown is looked at",
    run: (graph: OwnerGraph) => graph.upsert(resource, meta("d", ["ghost"])),
    want: ["d"],
  },
  {
    name: "a dependent of something known is not",
    run: (graph: OwnerGraph) => graph.upsert(resource, meta("d", ["o"])),
    want: [],
  },
  { name: "dependents are looked at when their owner goes", run: (graph: OwnerGraph) => graph.remove("p"), want: ["c"] },
  {
    name: "and when it begins to go in the foreground",
    run: (graph: OwnerGraph) => graph.upsert(resource, meta("p", [], going("foregroundDeletion"))),
    want: ["c", "p"],
  },
])("graph: $name", ({ run, want }) => {
  const graph = graphOf(meta("o"), meta("p"), meta("c", ["p"]));
  expect([...run(graph).attemptToDelete].map(({ uid }) => uid)).toEqual(want);
});

test("graph: an owner in another namespace is told of", () => {
  const graph = graphOf(meta("o", [], { namespace: "elsewhere" }));
  const work = graph.upsert(resource, meta("d", ["o"]));
  expect([...work.invalidOwners].map(({ node: { uid }, owner }) => [uid, owner.uid])).toEqual([["d", "o"]]);
});

/** An object of few names with any owners among them, about to go in any way. */
function anyMeta(random: Random, names: readonly string[]): ObjectMeta {
  const owners = names.filter(() => random.int(4) === 0).map((name) => reference(name, random.int(3) > 0));
  const name = names[random.int(names.length)] ?? "";
  const leaves = [{}, {}, { deletionTimestamp: "x" }, going("foregroundDeletion"), going("orphan")];
  return { name, namespace: "ns", uid: name, ...(owners.length > 0 && { ownerReferences: owners }), ...leaves[random.int(5)] };
}

test.each([1, 2, 3])("graph: who is waited for is what looking at all would find (seed %i)", (seed) => {
  const random = seededRandom(seed);
  const names = ["a", "b", "c", "d", "e", "f"];
  const objects = new Map<string, ObjectMeta>();
  const graph = new OwnerGraph();
  let waits = 0;
  for (let step = 0; step < 3_000; step++) {
    const metadata = anyMeta(random, names);
    const { uid = "" } = metadata;
    if (random.int(4) === 0) {
      objects.delete(uid);
      graph.remove(uid);
    } else {
      objects.set(uid, metadata);
      graph.upsert(resource, metadata);
    }
    for (const owner of objects.values()) {
      const { wait } = node(graph, owner.uid ?? "");
      const foreground = owner.finalizers?.includes("foregroundDeletion") ?? false;
      const blocking = [...objects.values()].filter(({ ownerReferences = [] }) =>
        ownerReferences.some((of) => of.uid === owner.uid && of.blockOwnerDeletion === true),
      );
      const staying = blocking.filter(({ deletionTimestamp }) => deletionTimestamp === undefined).map((each) => each.uid);
      const got = wait && { isOver: wait.isOver, staying: [...wait.staying].map((each) => each.uid).sort() };
      expect(got).toEqual(foreground ? { isOver: blocking.length === 0, staying: staying.sort() } : undefined);
      if (staying.length > 0 && foreground) waits++;
    }
  }
  expect(waits).toBeGreaterThan(100);
});
