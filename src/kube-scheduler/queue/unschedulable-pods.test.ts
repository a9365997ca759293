import { expect, test } from "vitest";
import { seededRandom } from "#base/random.ts";
import { podInfo } from "../framework/pod-info.ts";
import { testPod } from "../framework/test-objects.ts";
import type { QueuedPod } from "./scheduling-queue.ts";
import { UnschedulablePods } from "./unschedulable-pods.ts";

const PLUGINS = ["NodeResourcesFit", "TaintToleration", "InterPodAffinity"];

function queued(uid: string, rejectors: readonly string[], gated = false): QueuedPod {
  const info = podInfo(testPod(uid));
  return { info, timestamp: 0, attempts: 1, rejectors: new Set(rejectors), gated, failed: false, backoffUntil: 0 };
}

test("whom an event concerns is whom a look at all of them finds, in the same order", () => {
  const random = seededRandom(7);
  const pods = new UnschedulablePods();
  const all = new Map<string, QueuedPod>();
  for (let round = 0; round < 500; round++) {
    const uid = `p${random.int(30)}`;
    all.delete(uid);
    if (random.int(3) === 0) pods.delete(uid);
    else {
      const rejectors = PLUGINS.filter(() => random.int(2) === 0);
      const pod = queued(uid, random.int(2) === 0 ? rejectors : rejectors.toReversed(), random.int(5) === 0);
      pods.add(pod);
      all.set(uid, pod);
    }
    const heard = new Set(PLUGINS.filter(() => random.int(2) === 0));
    const waiting = [...all.values()].filter(({ gated }) => !gated);
    const isMeant = ({ info }: QueuedPod): boolean => info.uid !== "p7";
    const concerned = waiting.filter(({ rejectors }) => rejectors.size === 0 || [...rejectors].some((one) => heard.has(one)));
    const select = (plugins: readonly string[]): typeof isMeant | undefined =>
      plugins.length === 0 || plugins.some((plugin) => heard.has(plugin)) ? isMeant : undefined;
    expect(pods.select(select)).toEqual(concerned.filter(isMeant));
    expect([pods.size, pods.gated]).toEqual([all.size, all.size - waiting.length]);
    expect(pods.get(uid)).toBe(all.get(uid));
  }
});

test("an event asks each kind of rejection once, however many pods wait", () => {
  const pods = new UnschedulablePods();
  for (let i = 0; i < 1_000; i++) pods.add(queued(`p${i}`, ["NodeResourcesFit"], i % 2 === 0));
  let asked = 0;
  const nobody = (): undefined => void asked++;
  expect(pods.select(nobody)).toEqual([]);
  expect(asked).toBe(1);
});
