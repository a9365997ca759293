import { expect, test } from "vitest";
import { CycleState } from "./cycle-state.ts";
import { Framework } from "./framework.ts";
import type { Plugin, PostFilterResult, PreFilterResult } from "./plugin.ts";
import { podInfo } from "./pod-info.ts";
import { errorStatus, SKIP, type Status, SUCCESS, unresolvable, unschedulable } from "./status.ts";
import { testNode, testNodeInfo, testPod } from "./test-objects.ts";

const pod = podInfo(testPod("p"));
const node = testNodeInfo(testNode("n"));
const sort: Plugin = { name: "Sort", less: (a, b) => a.timestamp < b.timestamp };
const framework = (...plugins: Plugin[]): Framework => new Framework([sort, ...plugins]);
const narrowing = (name: string, ...names: string[]): Plugin => ({
  name,
  preFilter: (): PreFilterResult => ({ status: SUCCESS, nodeNames: new Set(names) }),
});
const filtering = (name: string, status: Status): Plugin => ({ name, filter: () => status });
const post = (name: string, result: PostFilterResult): Plugin => ({ name, postFilter: () => result });
const diagnosis = { nodeCount: 1, nodeStatuses: new Map(), rejectors: new Set<string>() };

test("plugins that narrow the nodes down leave those that all of them want", () => {
  const outcome = framework(narrowing("B", "x", "y"), narrowing("A", "y", "z")).runPreFilter(new CycleState(), pod);
  expect(outcome).toEqual({ status: SUCCESS, plugins: ["A", "B"], nodeNames: new Set(["y"]) });
});

test.each([
  [[narrowing("B", "x"), narrowing("A", "z")], "node(s) didn't satisfy plugin(s) [A B] simultaneously"],
  [[narrowing("B")], "node(s) didn't satisfy plugin B"],
])("none may be left", (plugins, reason) => {
  expect(framework(...plugins).runPreFilter(new CycleState(), pod).status).toEqual(unresolvable(reason));
});

test("a plugin that skips is not asked about nodes", () => {
  const skipping: Plugin = { ...filtering("A", unschedulable("no")), preFilter: () => ({ status: SKIP }) };
  const state = new CycleState();
  const both = framework(skipping, filtering("B", SUCCESS));
  both.runPreFilter(state, pod);
  expect(both.runFilter(state, pod, node)).toBeUndefined();
  expect(both.runFilter(new CycleState(), pod, node)).toEqual({ plugin: "A", status: unschedulable("no") });
});

test("the first objection counts", () => {
  const verdict = framework(filtering("A", unschedulable("a")), filtering("B", unresolvable("b")));
  expect(verdict.runFilter(new CycleState(), pod, node)?.plugin).toBe("A");
});

test.each<[string, readonly PostFilterResult[], PostFilterResult]>([
  [
    "reasons are told together",
    [{ status: unschedulable("a") }, { status: unschedulable("b") }],
    { status: unschedulable("a", "b") },
  ],
  [
    "the one that makes room ends it",
    [{ status: unschedulable("a") }, { status: SUCCESS, nominatedNodeName: "n" }, { status: unschedulable("c") }],
    { status: SUCCESS, nominatedNodeName: "n" },
  ],
  [
    "a nomination is taken back though others go on",
    [{ status: unschedulable("a"), nominatedNodeName: "" }, { status: unschedulable("b") }],
    { status: unschedulable("a", "b"), nominatedNodeName: "" },
  ],
  ["what cannot be helped ends it", [{ status: unresolvable("a") }, { status: SUCCESS }], { status: unresolvable("a") }],
])("making room: %s", (_name, results, want) => {
  const plugins = results.map((result, i) => post(String(i), result));
  expect(framework(...plugins).runPostFilter(new CycleState(), pod, diagnosis)).toEqual(want);
});

test("scores are normalized, weighted and added; a plugin may have nothing to say", () => {
  const scoring = (name: string, weight: number, more: Partial<Plugin> = {}): Plugin => ({
    name,
    weight,
    score: (_state, _pod, { name }) => (name === "a" ? 10 : 20),
    ...more,
  });
  const halved = scoring("Halved", 3, {
    normalizeScores: (scores) => void scores.splice(0, scores.length, ...scores.map((score) => score / 2)),
  });
  const silent = scoring("Silent", 100, { preScore: () => SKIP });
  const nodes = ["a", "b"].map((name) => testNodeInfo(testNode(name)));
  const totals = framework(scoring("Plain", 2), halved, silent).runScore(new CycleState(), pod, nodes);
  expect([...totals]).toEqual([2 * 10 + 3 * 5, 2 * 20 + 3 * 10]);
});

test("the first binder that does not skip decides; a failure names it", async () => {
  const binder = (name: string, status: Status): Plugin => ({ name, bind: async () => status });
  expect(await framework(binder("A", SKIP), binder("B", SUCCESS)).runBind(pod.pod, "n")).toBe(SUCCESS);
  const failing = framework(binder("A", errorStatus("out")), binder("B", SUCCESS));
  expect(await failing.runBind(pod.pod, "n")).toEqual(errorStatus('running Bind plugin "A": out'));
});

test("what is set aside is given back, last first, when one plugin cannot", () => {
  const log: string[] = [];
  const reserving = (name: string, status: Status): Plugin => ({
    name,
    reserve: () => {
      log.push(`${name} reserves`);
      return status;
    },
    unreserve: () => void log.push(`${name} gives back`),
  });
  const both = framework(reserving("A", SUCCESS), reserving("B", errorStatus("no")), reserving("C", SUCCESS));
  expect(both.runReserve(new CycleState(), pod, "n")).toEqual(errorStatus("no"));
  expect(log).toEqual(["A reserves", "B reserves", "C gives back", "B gives back", "A gives back"]);
});

test("what fails before the binding names its plugin", async () => {
  const preparing = (name: string, status: Status): Plugin => ({ name, preBind: async () => status });
  const { signal } = new AbortController();
  const run = (...plugins: Plugin[]) => framework(...plugins).runPreBind(new CycleState(), pod, "n", signal);
  expect(await run(preparing("A", SKIP), preparing("B", SUCCESS))).toBe(SUCCESS);
  expect(await run(preparing("A", errorStatus("out")))).toEqual(errorStatus('running PreBind plugin "A": out'));
});
