import { expect, test } from "vitest";
import { seededRandom } from "#base/random.ts";
import type { NodeInfo } from "./node-info.ts";
import { NodeTally, TallyStore } from "./node-tally.ts";
import { podInfo } from "./pod-info.ts";
import { testNode, testNodeInfo, testPod } from "./test-objects.ts";

/** How many pods there are, and how often a node was counted. */
class PodCount {
  sum = 0;
  counted = 0;
  readonly tally = new NodeTally<number>({
    count: ({ pods }) => {
      this.counted++;
      return pods.size;
    },
    add: (pods) => {
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

test("the sum is that of the nodes as they are, whatever became of them; only those that changed are counted", () => {
  const random = seededRandom(3);
  const count = new PodCount();
  let nodes = Array.from({ length: 20 }, (_, i) => nodeWith(`n${i}`, i % 3));
  count.tally.refresh(nodes);
  for (let round = 0; round < 200; round++) {
    const at = random.int(nodes.length);
    const node = nodes[at];
    const layout = random.int(10);
    if (layout === 0) nodes = nodes.filter((_, i) => i !== at);
    else if (layout === 1) nodes = [...nodes, nodeWith(`new-${round}`, random.int(3))];
    else if (random.int(2) === 0) node?.addPod(podInfo(testPod(`p${round}`)));
    else node?.removePod([...(node?.pods.keys() ?? [])][0] ?? "");
    const before = count.counted;
    count.tally.refresh(nodes);
    expect(count.sum).toBe(nodes.reduce((sum, { pods }) => sum + pods.size, 0));
    if (layout > 1) expect(count.counted - before).toBeLessThan(2);
  }
});

test("what has changed since is worked out for one node", () => {
  const [node, other] = [nodeWith("a", 2), nodeWith("b", 1)];
  const { tally } = new PodCount();
  tally.refresh([node]);
  expect(tally.changeOf(node)).toBeUndefined();
  node.removePod("a-0");
  expect(tally.changeOf(node)).toEqual({ before: 2, now: 1 });
  expect(tally.changeOf(other)).toEqual({ before: undefined, now: 1 });
  tally.refresh([other, node]);
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
