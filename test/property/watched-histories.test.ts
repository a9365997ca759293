import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "#base/random.ts";
import { type Trouble, wrongAnswers } from "../support/history/answers.ts";
import { type Act, actsOfOthers, earlyTakeovers, successions } from "../support/history/leadership.ts";
import { excesses, type PodChange, wrongNumbers } from "../support/history/replicas.ts";
import { type AcknowledgedWrite, checkWatched, type WatchedEvent, type WatchedSegment } from "../support/history/watched.ts";
import { shuffled } from "../support/masters/plan.ts";
import { tooManyPods } from "../support/masters/pods-seen.ts";
import { runs } from "./runs.ts";

const added = (key: string, revision: number, value = `v${revision}`): WatchedEvent => ({ type: "ADDED", key, revision, value });
const modified = (key: string, revision: number, value = `v${revision}`): WatchedEvent => ({
  type: "MODIFIED",
  key,
  revision,
  value,
});
const deleted = (key: string, revision: number, value: string): WatchedEvent => ({ type: "DELETED", key, revision, value });
const segment = (watcher: string, from: number, until: number, events: readonly WatchedEvent[]): WatchedSegment => ({
  watcher,
  start: new Map(),
  from,
  events,
  until,
});
/** A list at a revision: by each key the revision of its last change. */
const listed = (watcher: string, at: number, objects: Readonly<Record<string, number>>): WatchedSegment => ({
  ...segment(watcher, at, at, []),
  start: new Map(Object.entries(objects).map(([key, revision]) => [key, { revision, value: `v${revision}` }])),
});
const wrote = (key: string, revision: number, value = `v${revision}`): AcknowledgedWrite => ({ key, value, revision });

const story = [added("a", 2), added("b", 3), modified("a", 5), deleted("a", 6, "v5"), added("a", 9)];
const whole = segment("w1", 1, 10, story);

describe("what watchers were told", () => {
  test("all was told, to all alike", () => {
    const late = { ...segment("w2", 4, 9, story.slice(2)), start: new Map([["a", { revision: 2, value: "v2" }]]) };
    expect(checkWatched([whole, { ...late, start: late.start.set("b", { revision: 3, value: "v3" }) }], [wrote("a", 5)])).toEqual(
      [],
    );
  });

  test.each<[string, WatchedSegment[], AcknowledgedWrite[], string]>([
    ["an event is missing", [whole, segment("w2", 1, 10, story.toSpliced(2, 1))], [], "w2 was not told of revision 5"],
    ["an event came twice", [segment("w1", 1, 10, [...story, added("a", 9)])], [], "w1 was told revision 9 after 9"],
    ["events came in another order", [segment("w1", 1, 10, [added("b", 3), added("a", 2)])], [], "told revision 2 after 3"],
    ["an event from before its start", [segment("w1", 5, 10, [modified("a", 5)])], [], "told revision 5 after 5"],
    ["two were told different things", [whole, segment("w2", 1, 2, [added("a", 2, "z")])], [], "where another was told"],
    ["nobody was told of a write", [whole], [wrote("c", 8)], "not told of the write c=v8 at 8"],
    ["what was told is not what was written", [whole], [wrote("a", 9, "z")], "where a=z was written"],
    ["what was there is added", [segment("w1", 1, 10, [added("a", 2), added("a", 3)])], [], "ADDED where it was there"],
    ["what was gone changes", [segment("w1", 1, 10, [deleted("a", 2, "x"), modified("a", 3)])], [], "MODIFIED where it was gone"],
    ["a list lacks what was there", [whole, segment("w2", 5, 5, [])], [], "w2 began at 5 with a: nothing, where w1 knew v5 of 5"],
    [
      "a list has what was deleted",
      [whole, listed("w2", 7, { a: 5, b: 3 })],
      [],
      "w2 began at 7 with a: v5 of 5, where w1 knew nothing",
    ],
    ["a list is old", [whole, listed("w2", 5, { a: 2, b: 3 })], [], "w2 began at 5 with a: v2 of 2, where w1 knew v5 of 5"],
    [
      "nobody was told of a deletion, and a last list shows it",
      [segment("w1", 1, 10, story.slice(0, 3)), listed("in the end", 10, { b: 3 })],
      [],
      "in the end began at 10 with a: nothing, where w1 knew v5 of 5",
    ],
    [
      "a list has what nobody was told of",
      [whole, listed("w2", 10, { a: 9, b: 3, c: 8 })],
      [],
      "w2 began at 10 with c: v8 of 8, where w1 knew nothing",
    ],
  ])("%s", (_, segments, writes, failure) => {
    expect(checkWatched(segments, writes).join("\n")).toContain(failure);
  });

  test("what was told after the last bookmark may be missing, and what came before the start", () => {
    expect(checkWatched([whole, segment("w2", 1, 4, story.slice(0, 2))], [wrote("c", 11), wrote("c", 1)])).toEqual([]);
  });

  test("any event that is taken away is missed", async () => {
    await fc.assert(
      fc.property(fc.nat(story.length - 1), (i) => {
        expect(checkWatched([whole, segment("w2", 1, 10, story.toSpliced(i, 1))], [])).not.toEqual([]);
      }),
      runs(20),
    );
  });
});

describe("pods that a Deployment has", () => {
  const wanted = [
    { revision: 1, replicas: 2 },
    { revision: 10, replicas: 3 },
    { revision: 20, replicas: 0 },
  ];
  const is = (pod: string, revision: number): PodChange => ({ revision, pod, lives: true });
  const ends = (pod: string, revision: number): PodChange => ({ revision, pod, lives: false });

  test.each<[string, PodChange[], string[]]>([
    ["as many as wanted", [is("a", 2), is("b", 3), is("b", 4), is("c", 11)], []],
    ["one in another's place", [is("a", 2), is("b", 3), ends("a", 4), is("c", 5)], []],
    ["as many as were wanted a moment ago", [is("a", 2), is("b", 3), is("c", 21)], []],
    ["one too many", [is("a", 2), is("b", 3), is("c", 4)], ["c at 4 was one of 3 where 2 were wanted"]],
    ["one before any were wanted", [is("a", 0)], ["a at 0 was one of 1 where 0 were wanted"]],
  ])("%s", (_, changes, want) => {
    expect(excesses(wanted, changes)).toEqual(want);
  });

  test.each<[string, readonly [string, boolean][], readonly string[], string[]]>([
    [
      "as wanted",
      [
        ["d", true],
        ["d", true],
        ["other", false],
      ],
      ["d"],
      [],
    ],
    ["too few", [["d", true]], ["d"], ["d: 1 pods of 1 ReplicaSets, 1 run, of 2"]],
    [
      "too many",
      [
        ["d", true],
        ["d", true],
        ["d", true],
      ],
      ["d"],
      ["d: 3 pods of 1 ReplicaSets, 3 run, of 2"],
    ],
    [
      "one does not run",
      [
        ["d", true],
        ["d", false],
      ],
      ["d"],
      ["d: 2 pods of 1 ReplicaSets, 1 run, of 2"],
    ],
    [
      "a ReplicaSet was made twice",
      [
        ["d", true],
        ["d", true],
      ],
      ["d", "d"],
      ["d: 2 pods of 2 ReplicaSets, 2 run, of 2"],
    ],
  ])("in the end: %s", (_, pods, sets, want) => {
    const seen = pods.map(([app, runs]) => ({ app, runs }));
    expect(wrongNumbers(new Map([["d", 2]]), seen, sets)).toEqual(want);
  });

  test("those of controllers do not count that were asked for before another led and came late, or that nobody was told of", () => {
    const pod = (key: string, revision: number): WatchedEvent => {
      return { ...added(key, revision), value: JSON.stringify({ app: "d", node: "", lives: true, controlled: true }) };
    };
    const segments = [{ ...segment("w", 0, 9, [pod("a", 2), pod("b", 3), pod("c", 4)]), listedAt: 0, toldAt: [] }];
    const numbers = new Map([["d", [{ revision: 0, replicas: 2 }]]]);
    expect(tooManyPods(segments, numbers, () => true)).toEqual(["c at 4 was one of 3 where 2 were wanted"]);
    expect(tooManyPods(segments, numbers, (pod) => pod !== "b")).toEqual([]);
    const by = (controlled: boolean): WatchedEvent => {
      return { ...added("c", 4), value: JSON.stringify({ app: "d", node: "", lives: true, controlled }) };
    };
    const foreign = [{ ...segment("w", 0, 9, [pod("a", 2), pod("b", 3), by(false)]), listedAt: 0, toldAt: [] }];
    expect(tooManyPods(foreign, numbers, (name) => name !== "c")).toEqual(["c at 4 was one of 3 where 2 were wanted"]);
  });

  test("those that were there before count, too", () => {
    expect(excesses(wanted, [is("c", 4)], ["a", "b"])).toEqual(["c at 4 was one of 3 where 2 were wanted"]);
    expect(excesses(wanted, [ends("a", 3), is("c", 4)], ["a", "b"])).toEqual([]);
  });
});

describe("who acted while another led", () => {
  const changes = [
    { revision: 10, holder: "x", at: 1_010 },
    { revision: 12, holder: "x", at: 1_012 },
    { revision: 20, holder: "", at: 1_020 },
    { revision: 22, holder: "y", at: 1_022 },
  ];
  const act = (instance: string, revision: number, at = 1_000 + revision): Act => ({
    instance,
    revision,
    what: "create pods/p",
    times: [at],
  });

  test("leaders alone did", () => {
    expect(actsOfOthers(changes, [act("x", 10), act("x", 19), act("y", 22), act("y", 99), act("x", 30, 1_019)])).toEqual([]);
  });

  test.each([
    [act("x", 9), "before anybody led"],
    [act("y", 15), "where x led since 12"],
    [act("x", 21), "where nobody led since 20"],
    [act("x", 23), "where y led since 22"],
    [act("x", 30, 1_020), "where y led since 22"],
    [act("z", 30, 1_000), "where y led since 22"],
  ])("%j", (one, why) => {
    expect(actsOfOthers(changes, [one]).join()).toContain(why);
  });

  test("what was done while nobody told who leads is not judged", () => {
    const gap = { after: 12, until: 22 };
    expect(actsOfOthers(changes, [act("y", 15), act("z", 21)], [gap])).toEqual([]);
    expect(actsOfOthers(changes, [act("y", 12), act("x", 23)], [gap])).toHaveLength(2);
  });

  test("what changed nothing has an older write's revision", () => {
    expect(actsOfOthers(changes, [act("y", 15, 1_021)])).toEqual([]);
    expect(actsOfOthers(changes, [act("y", 15, 1_019)])).toHaveLength(1);
  });

  test("where a clock was being set, what may have been in time is in time", () => {
    const late = act("x", 30, 1_020);
    expect(actsOfOthers(changes, [{ ...late, times: [1_020, 1_019] }])).toEqual([]);
  });

  test("successions leave renewals out", () => {
    expect(successions(changes).map(({ holder }) => holder)).toEqual(["x", "", "y"]);
  });
});

describe("who took a Lease too early", () => {
  const held = (identity: string, acquiredAt: number, renewedAt = acquiredAt) => ({ identity, acquiredAt, renewedAt });
  const exact = (_: string, shown: number): number[] => [shown];
  const took = "y_1 took the Lease";

  test.each([
    ["after its time", [held("x_1", 0, 400), held("y_1", 5_400)], []],
    ["at once, when it was given back", [held("x_1", 0, 400), held("", 500), held("y_1", 600)], []],
    ["the holder itself", [held("x_1", 0), held("x_1", 0, 500)], []],
    ["before its time", [held("x_1", 0, 400), held("y_1", 5_300)], [`${took} 4900 ms after x_1 had renewed it, not 5000`]],
    [
      "another process of the same machine",
      [held("y_0", 0), held("y_1", 1)],
      [`${took} 1 ms after y_0 had renewed it, not 5000`],
    ],
  ])("%s", (_, tenures, want) => {
    expect(earlyTakeovers(tenures, 5_000, exact)).toEqual(want);
  });

  test("by the right time, whatever their clocks showed", () => {
    const ahead = (identity: string, shown: number): number[] => [identity === "y_1" ? shown - 3_600_000 : shown];
    expect(earlyTakeovers([held("x_1", 0), held("y_1", 3_605_000)], 5_000, ahead)).toEqual([]);
    expect(earlyTakeovers([held("x_1", 0), held("y_1", 3_600_100)], 5_000, ahead)).toHaveLength(1);
  });

  test("a clock that was being set may have shown several times, or nobody knows", () => {
    const tenures = [held("x_1", 0), held("y_1", 100)];
    expect(earlyTakeovers(tenures, 5_000, (_, shown) => [shown, shown + 9_000])).toEqual([]);
    expect(earlyTakeovers(tenures, 5_000, () => [])).toEqual([]);
  });
});

describe("how calls may fail", () => {
  const call = (code: number, reason: string, message: string, durationMs = 100): Trouble => {
    return { client: "at-1", what: "read k", at: 1_000, durationMs, code, reason, message };
  };
  const silence = { client: "at-1", from: 500, until: 5_000 };

  test.each<[string, Trouble, string]>([
    ["no leader", call(500, "", "etcdserver: no leader"), ""],
    ["a slow etcd", call(504, "Timeout", "Timeout: request did not complete within the allotted timeout"), ""],
    ["no answer, soon", call(0, "", "socket hang up"), ""],
    ["another server's words", call(500, "", "Cannot read properties of undefined"), "no client may get this answer"],
    ["another reason", call(500, "InternalError", "etcdserver: no leader"), "no client may get this answer"],
    ["a refusal that is none", call(403, "Forbidden", "not yet ready"), "no client may get this answer"],
    ["a Status that is late", call(500, "", "etcdserver: no leader", 40_001), "too late"],
    ["no answer at all", call(0, "", "no answer in 60000 ms", 60_000), "too late"],
    ["a good answer that is late", call(200, "", "", 41_000), "too late"],
  ])("%s", (_, trouble, want) => {
    const wrong = wrongAnswers([trouble], []);
    expect(wrong).toHaveLength(want === "" ? 0 : 1);
    expect(wrong.join()).toContain(want);
  });

  test("who is silenced may be late, but says nothing else", () => {
    expect(wrongAnswers([call(0, "", "", 50_000), call(200, "", "", 50_000)], [silence])).toEqual([]);
    expect(wrongAnswers([call(403, "Forbidden", "", 50_000)], [silence])).toHaveLength(1);
    expect(wrongAnswers([{ ...call(0, "", "", 50_000), at: 5_001 }], [silence])).toHaveLength(1);
    expect(wrongAnswers([{ ...call(0, "", "", 50_000), client: "at-2" }], [silence])).toHaveLength(1);
  });
});

test("a seed makes the same plan each time, with each fault once, and another seed another", () => {
  const faults = Array.from({ length: 25 }, (_, i) => i);
  const plan = (seed: number): readonly number[] => shuffled(seededRandom(seed), faults);
  expect(plan(7)).toEqual(plan(7));
  expect(plan(7)).not.toEqual(plan(8));
  expect([...plan(7)].sort((a, b) => a - b)).toEqual(faults);
});
