import { expect, test } from "vitest";
import { sortKey } from "#storage/key-order.ts";
import { OrderedTree } from "#storage/memory/ordered-tree.ts";
import { CacheEntry } from "./cache-entry.ts";
import { type CacheEvent, EventHistory } from "./event-history.ts";

const entry = (name: string, revision: number): CacheEntry =>
  new CacheEntry(`/registry/things/${name}`, "", name, revision, { bytes: new Uint8Array(0), versionOffset: 0 });

const shown = (tree: OrderedTree<CacheEntry> | undefined): string | undefined =>
  tree
    ?.range(sortKey(""), undefined)
    .map(({ name, revision }) => `${name}@${revision}`)
    .join(" ");

/** Adds, changes and removes eleven objects in turn, and notes the state after each revision. */
function churned(events: number): { history: EventHistory; states: Map<number, string | undefined> } {
  let tree = new OrderedTree<CacheEntry>();
  const history = new EventHistory(tree, 1);
  const states = new Map([[1, shown(tree)]]);
  for (let revision = 2; revision < events + 2; revision++) {
    const name = `n${revision % 11}`;
    const previous = tree.get(sortKey(`/registry/things/${name}`));
    let event: CacheEvent;
    if (previous !== undefined && revision % 3 === 0) {
      tree = tree.without(sortKey(previous.key));
      event = { type: "DELETED", revision, entry: previous.deletedAt(revision), previous };
    } else {
      const next = entry(name, revision);
      tree = tree.with(sortKey(next.key), next);
      event = { type: previous === undefined ? "ADDED" : "MODIFIED", revision, entry: next, previous };
    }
    history.push(event, tree);
    states.set(revision, shown(tree));
  }
  return { history, states };
}

test.each([1, 127, 128, 129, 300])("knows every state between %i events", (count) => {
  const { history, states } = churned(count);
  for (const [revision, state] of states) expect([revision, shown(history.treeAt(revision))]).toEqual([revision, state]);
});

test("knows the states since its base revision once it has forgotten events", () => {
  const { history, states } = churned(12_345);
  const base = history.baseRevision;
  expect(base).toBe(12_345 + 1 - 8_192);
  expect(history.treeAt(base - 1)).toBeUndefined();
  for (const revision of [base, base + 1, base + 127, base + 128, base + 4_000, 12_345, 12_346]) {
    expect([revision, shown(history.treeAt(revision))]).toEqual([revision, states.get(revision)]);
  }
});
