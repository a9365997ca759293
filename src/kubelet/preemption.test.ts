import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import type { Lack } from "./pod-admission.ts";
import { podsToPreempt } from "./preemption.ts";

type Amounts = Readonly<Record<string, string>>;
const pod = (name: string, qosClass: string, requests: Amounts = {}, spec: object = {}): Pod =>
  ({
    metadata: { name },
    spec: { containers: [{ name: "c", resources: { requests } }], ...spec },
    status: { qosClass },
  }) as unknown as Pod;
const critical = pod("critical", "Burstable", {}, { priority: 2_000_000_000 });
const lack = (resource: string, amount: number): Lack => ({ resource, requested: amount, used: 10, capacity: 10 });

const best = pod("best", "BestEffort");
const small = pod("small", "Burstable", { cpu: "100m", memory: "100" });
const large = pod("large", "Burstable", { cpu: "200m", memory: "300" });
const sure = pod("sure", "Guaranteed", { cpu: "1", memory: "1k" });
const system = pod("system", "Burstable", { cpu: "4", memory: "4k" }, { priority: 2_000_000_000 });
const all = [best, small, large, sure, system];

test.each([
  { name: "one is enough where it is large enough", lacks: [lack("cpu", 150)], want: ["large"] },
  { name: "of two that are enough the smaller", lacks: [lack("cpu", 50)], want: ["small"] },
  { name: "burstable ones together, before a guaranteed one", lacks: [lack("cpu", 300)], want: ["large", "small"] },
  { name: "a guaranteed one, and then no others", lacks: [lack("memory", 1000)], want: ["sure"] },
  { name: "both resources count", lacks: [lack("cpu", 100), lack("memory", 200)], want: ["large"] },
  { name: "room for one more pod is made by the least", lacks: [lack("pods", 1)], want: ["best"] },
])("$name", ({ lacks, want }) => {
  const found = podsToPreempt(critical, all, lacks);
  expect(typeof found === "string" ? found : found.map(({ metadata }) => metadata.name)).toEqual(want);
});

test("pods of the system stay, and that there is no room is said", () => {
  const words = "no set of running pods found to reclaim resources: [(res: memory, q: 600), ]";
  expect(podsToPreempt(critical, all, [lack("memory", 2000)])).toBe(words);
});

test("who is more important may end who is less, though both are critical", () => {
  const higher = pod("higher", "Burstable", {}, { priority: 2_000_001_000 });
  expect(podsToPreempt(higher, [system], [lack("cpu", 1)])).toEqual([system]);
});
