import { expect, test } from "vitest";
import { type Random, seededRandom } from "#base/random.ts";
import type { NodeInfo } from "./node-info.ts";
import type { NodeList } from "./node-list.ts";
import { NodeTally, TallyStore } from "./node-tally.ts";
import { podInfo } from "./pod-info.ts";
import { testNode, testNodeInfo, testNodeList, testPod } from "./test-objects.ts";

/** How many pods there are, how often a node was counted, and how often that was taken up. */
class PodCount {
  sum = 0;
  counted = 0;
  added = 0;
  readonly tally = new NodeTally<number>({
    count: ({ pods }) => {
      this.counted++;
      return pods.size;
    },
    add: (pods) => {
      this.added++;
      this.sum += pods;
    },
    subtract: (pods) => {
      this.sum -= pods;
    },
  });
}

const nodeWith = (name: string, pods: number): NodeInfo =>
  testNodeInfo(
    testNode(name),
    Array.from({ length: pods }, (_, i) => testPod(`${name}-${i}`)),
  );

/** Something becomes of a node, or one comes or goes. */
function change(list: NodeList, random: Random, serial: number): void {
  const node = list.all[random.int(list.all.length)];
  const what = random.int(10);
  if (what === 0 && node !== undefined) {
    node.setNode(undefined);
    list.remove(node);
  } else if (what === 1) testNodeList([nodeWith(`new-${serial}`, random.int(3))], list);
  else if (random.int(2) === 0) node?.addPod(podInfo(testPod(`p${serial}`)));
  else node?.removePod([...node.pods.keys()][0] ?? "");
}

test("the sum is that of the nodes as they are, whatever became of them, and however long ago it was asked for", () => {
  const random = seededRandom(3);
  const [often, seldom] = [new PodCount(), new PodCount()];
  const list = testNodeList(Array.from({ length: 20 }, (_, i) => nodeWith(`n${i}`, i % 3)));
  const sum = (): number => list.all.reduce((total, { pods }) => total + pods.size, 0);
  let forgotten = 0;
  for (let round = 0; round < 200; round++) {
    const changes = list.changes;
    // Now and then there are more changes than are remembered.
    const times = random.int(40) === 0 ? 4_000 : 1 + random.int(3);
    for (let i = 0; i < times; i++) change(list, random, round * 4_000 + i);
    if (list.changedSince(changes) === undefined) forgotten++;
    often.tally.refresh(list);
    expect(often.sum).toBe(sum());
    if (round % 20 !== 0) continue;
    seldom.tally.refresh(list);
    expect(seldom.sum).toBe(sum());
  }
  expect(forgotten).toBeGreaterThan(0);
});

test("only nodes that changed are counted, once, and taken up only where it makes a difference", () => {
  const count = new PodCount();
  const list = testNodeList(Array.from({ length: 20 }, (_, i) => nodeWith(`n${i}`, 1)));
  count.tally.refresh(list);
  count.counted = count.added = 0;
  const [one, other] = list.all;
  for (const name of ["a", "b"]) one?.addPod(podInfo(testPod(name)));
  other?.setNode(testNode("n1", { labels: { zone: "z" } }));
  count.tally.refresh(list);
  expect([count.counted, count.added, count.sum]).toEqual([2, 1, 22]);
});

test("what has changed since is worked out for one node", () => {
  const [node, other] = [nodeWith("a", 2), nodeWith("b", 1)];
  const { tally } = new PodCount();
  const list = testNodeList([node]);
  tally.refresh(list);
  expect(tally.changeOf(node)).toBeUndefined();
  node.removePod("a-0");
  expect(tally.changeOf(node)).toEqual({ before: 2, now: 1 });
  expect(tally.changeOf(other)).toEqual({ before: undefined, now: 1 });
  testNodeList([other], list);
  tally.refresh(list);
  expect([tally.changeOf(node), tally.changeOf(other)]).toEqual([undefined, undefined]);
});

test("few tallies are kept, the last ones, and none that cannot be used again", () => {
  const store = new TallyStore<{ readonly reusable: boolean }>();
  const made: string[] = [];
  const get = (key: string, reusable = true): unknown =>
    store.get(key, () => {
      made.push(key);
      return { reusable };
    });
  expect(get("a")).toBe(get("a"));
  for (const key of ["once", "once"]) get(key, false);
  for (let i = 0; i < 14; i++) get(`k${i}`);
  get("a");
  for (let i = 14; i < 20; i++) get(`k${i}`);
  get("a");
  get("k0");
  expect(made.filter((key) => !key.startsWith("k") || key === "k0")).toEqual(["a", "once", "once", "k0", "k0"]);
});
