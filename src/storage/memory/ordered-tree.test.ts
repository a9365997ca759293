import { expect, test } from "vitest";
import { seededRandom } from "#base/random.ts";
import { OrderedTree } from "./ordered-tree.ts";

test.each([1, 2, 3])("agrees with a sorted map through random changes, and old trees stay as they were (seed %i)", (seed) => {
  const random = seededRandom(seed);
  const model = new Map<string, number>();
  let tree = new OrderedTree<number>();
  const kept: { tree: OrderedTree<number>; values: number[] }[] = [];
  const sorted = (): number[] => [...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
  for (let step = 0; step < 6000; step++) {
    const key = `k${random.int(900)}`;
    // Growing first, shrinking to nothing at the end.
    if (random.float() < (step < 3000 ? 0.7 : 0.25)) {
      model.set(key, step);
      tree = tree.with(key, step);
    } else {
      const before = tree;
      tree = tree.without(key);
      if (!model.delete(key)) expect(tree).toBe(before);
    }
    if (step % 500 === 0) kept.push({ tree, values: sorted() });
  }
  expect(tree.range("", undefined)).toEqual(sorted());
  expect(tree.size).toBe(model.size);
  for (const { tree: old, values } of kept) expect(old.range("", undefined)).toEqual(values);
  const keys = [...model.keys()].sort();
  for (const key of ["", "k1", "k55", "k899", "z"]) expect(tree.rank(key)).toBe(keys.filter((k) => k < key).length);
  expect(tree.range("k2", "k4", 5)).toEqual(
    keys
      .filter((k) => k >= "k2" && k < "k4")
      .slice(0, 5)
      .map((k) => model.get(k)),
  );
  expect(keys.map((k) => tree.get(k))).toEqual(keys.map((k) => model.get(k)));
  for (const key of keys) tree = tree.without(key);
  expect(tree.size).toBe(0);
});

test.each([0, 1, 23, 24, 25, 32, 33, 576, 577, 5_000])(
  "a tree of %i sorted pairs is as one that was made of them one by one",
  (count) => {
    const random = seededRandom(count);
    const keys = Array.from({ length: count }, (_, i) => `k${String(i * 2).padStart(6, "0")}`);
    let tree = OrderedTree.ofSorted(keys, keys);
    const grown = keys.reduce((all, key) => all.with(key, key), new OrderedTree<string>());
    expect([tree.size, tree.range("", undefined), tree.changesSince(grown)]).toEqual([count, keys, []]);
    const model = new Set(keys);
    for (let step = 0; step < 2 * count; step++) {
      const key = `k${String(random.int(2 * count)).padStart(6, "0")}`;
      const isThere = random.float() < 0.4;
      if (isThere) model.add(key);
      else model.delete(key);
      tree = isThere ? tree.with(key, key) : tree.without(key);
      expect(tree.size).toBe(model.size);
    }
    const left = [...model].sort();
    expect(tree.range("", undefined)).toEqual(left);
    for (const [rank, key] of left.entries()) expect([tree.rank(key), tree.get(key)]).toEqual([rank, key]);
  },
);

test("pairs that do not ascend make no tree", () => {
  for (const keys of [
    ["b", "a"],
    ["a", "a"],
  ])
    expect(() => OrderedTree.ofSorted(keys, [1, 2])).toThrow("ascend");
});

test.each([1, 2, 3])("a tree tells what makes it of any other (seed %i)", (seed) => {
  const random = seededRandom(seed);
  const loaded = Array.from({ length: 500 * (seed - 1) }, (_, i) => `k${i}`).sort();
  let tree: OrderedTree<object> = OrderedTree.ofSorted(
    loaded,
    loaded.map((key) => ({ key })),
  );
  const trees = [new OrderedTree<object>(), tree];
  for (let step = 0; step < 6000; step++) {
    const key = `k${random.int(2000)}`;
    // Growing to three levels, then shrinking to few keys.
    tree = random.float() < (step < 3000 ? 0.8 : 0.15) ? tree.with(key, { key }) : tree.without(key);
    if (step % 97 === 0 || step % 500 < 5) trees.push(tree);
  }
  const entries = (of: OrderedTree<object>): Map<string, object> =>
    new Map(of.range("", undefined).map((value) => [(value as { key: string }).key, value]));
  for (let pair = 0; pair < 100; pair++) {
    const at = random.int(trees.length);
    const [older, newer] = [trees[at], trees[pair % 2 === 0 ? random.int(trees.length) : Math.max(0, at - 1)]] as const;
    const [before, after] = [entries(older as OrderedTree<object>), entries(newer as OrderedTree<object>)];
    const want = new Map<string, object | undefined>();
    for (const key of before.keys()) if (!after.has(key)) want.set(key, undefined);
    for (const [key, value] of after) if (before.get(key) !== value) want.set(key, value);
    const changes = (newer as OrderedTree<object>).changesSince(older as OrderedTree<object>);
    expect(changes).toHaveLength(want.size);
    expect(changes.filter(({ key, value }) => !want.has(key) || want.get(key) !== value)).toEqual([]);
  }
});

test.each(["ascending", "descending"])("a run of keys before or behind all others, %s, keeps one place for each key", (order) => {
  const run = (prefix: string): string[] => {
    const names = Array.from({ length: 300 }, (_, i) => `${prefix}${String(i).padStart(3, "0")}`);
    return order === "ascending" ? names : names.reverse();
  };
  let tree = new OrderedTree<string>();
  for (const prefix of ["m", "a", "z"]) for (const key of run(prefix)) tree = tree.with(key, key);
  for (const prefix of ["a", "m", "z"]) for (const key of run(prefix)) tree = tree.with(key, `${key} again`);
  expect(tree.size).toBe(900);
  const keys = [...run("a"), ...run("m"), ...run("z")].sort();
  expect(tree.range("", undefined)).toEqual(keys.map((key) => `${key} again`));
  for (const key of run("m")) tree = tree.without(key);
  expect(tree.size).toBe(600);
});
