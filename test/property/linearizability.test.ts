import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkLinearizable } from "../support/history/linearizability.ts";
import { apply, type Call, type Operation, type Outcome, type State } from "../support/history/operation.ts";
import { runs } from "./runs.ts";

const ok: Outcome = { kind: "ok" };
const unknown: Outcome = { kind: "unknown" };
const found = (value: State): Outcome => ({ kind: "ok", value });
const conflict: Outcome = { kind: "refused", why: "conflict" };
const absent: Outcome = { kind: "refused", why: "absent" };
const read: Call = { kind: "read" };
const create = (value: string): Call => ({ kind: "create", value });
const replace = (value: string): Call => ({ kind: "replace", value });
const swap = (expected: string, value: string): Call => ({ kind: "swap", expected, value });
const remove: Call = { kind: "delete" };
const op = (call: Call, outcome: Outcome, invoked: number, returned: number): Operation => ({
  client: "c",
  call,
  outcome,
  invoked,
  returned,
});

describe("histories that one object could have seen", () => {
  test.each<[string, Operation[]]>([
    ["nothing", []],
    [
      "one after the other",
      [op(create("a"), ok, 0, 1), op(read, found("a"), 2, 3), op(remove, ok, 4, 5), op(read, found(undefined), 6, 7)],
    ],
    ["a read beside a write sees it", [op(create("a"), ok, 0, 10), op(read, found("a"), 2, 3)]],
    ["a read beside a write does not see it", [op(create("a"), ok, 0, 10), op(read, found(undefined), 2, 3)]],
    [
      "two reads beside a write, the later sees it",
      [op(create("a"), ok, 0, 10), op(read, found(undefined), 1, 2), op(read, found("a"), 3, 4)],
    ],
    [
      "one of two swaps is refused",
      [op(create("a"), ok, 0, 1), op(swap("a", "b"), ok, 2, 5), op(swap("a", "c"), conflict, 2, 5)],
    ],
    ["what is unknown was done", [op(create("a"), unknown, 0, 1), op(read, found("a"), 5, 6)]],
    [
      "what is unknown was not done",
      [op(create("a"), unknown, 0, 1), op(read, found(undefined), 5, 6), op(create("b"), ok, 7, 8)],
    ],
    [
      "what is unknown was done late",
      [op(create("a"), unknown, 0, 1), op(read, found(undefined), 5, 6), op(read, found("a"), 7, 8)],
    ],
    [
      "only what is unknown explains a refusal",
      [
        op(create("a"), ok, 0, 1),
        op(replace("b"), unknown, 2, 3),
        op(swap("a", "c"), conflict, 4, 5),
        op(read, found("b"), 6, 7),
      ],
    ],
    [
      "what nobody ever met explains a refusal",
      [op(create("a"), ok, 0, 1), op(replace("b"), unknown, 2, 3), op(swap("a", "c"), conflict, 4, 5)],
    ],
    ["a create is refused", [op(create("a"), ok, 0, 1), op(create("b"), conflict, 2, 3)]],
    ["a replacement finds nothing", [op(replace("a"), absent, 0, 1)]],
  ])("%s", (_, operations) => {
    expect(checkLinearizable(operations)).toEqual({ kind: "linearizable" });
  });
});

describe("histories that no object could have seen", () => {
  test.each<[string, Operation[]]>([
    ["a lost write", [op(create("a"), ok, 0, 1), op(read, found(undefined), 2, 3)]],
    ["a stale read", [op(create("a"), ok, 0, 1), op(replace("b"), ok, 2, 3), op(read, found("a"), 4, 5)]],
    [
      "two reads in different orders",
      [op(create("a"), ok, 0, 1), op(replace("b"), ok, 2, 20), op(read, found("b"), 3, 4), op(read, found("a"), 5, 6)],
    ],
    ["a swap done twice", [op(create("a"), ok, 0, 1), op(swap("a", "b"), ok, 2, 3), op(swap("a", "c"), ok, 2, 3)]],
    ["a read of what was never written", [op(create("a"), ok, 0, 1), op(read, found("z"), 2, 3)]],
    ["what is unknown was done before it was asked for", [op(read, found("a"), 0, 1), op(create("a"), unknown, 2, 3)]],
    [
      "what is unknown was done twice",
      [op(create("a"), unknown, 0, 1), op(read, found("a"), 2, 3), op(remove, ok, 4, 5), op(read, found("a"), 6, 7)],
    ],
    ["a refusal without a reason", [op(create("a"), ok, 0, 1), op(swap("a", "b"), conflict, 2, 3)]],
    ["an object that is absent and in conflict", [op(swap("a", "b"), conflict, 0, 1)]],
    ["a deletion of nothing", [op(remove, ok, 0, 1)]],
  ])("%s", (_, operations) => {
    expect(checkLinearizable(operations)).toMatchObject({ kind: "impossible" });
  });

  test("it is told where it ends", () => {
    const operations = [op(create("a"), ok, 0, 1), op(read, found("b"), 2, 3)];
    expect(checkLinearizable(operations)).toEqual({ kind: "impossible", state: "a", stuck: [operations[1]] });
  });

  test("a search that takes too long is no answer", () => {
    const operations = Array.from({ length: 12 }, (_, i) => op(replace(`v${i}`), unknown, 0, 1));
    operations.push(op(create("a"), ok, 2, 3), op(read, found("z"), 4, 5));
    expect(checkLinearizable(operations, 1_000)).toEqual({ kind: "undecided" });
  });
});

const smallCall = fc.oneof(
  fc.constant(read),
  fc.constant(remove),
  fc.constantFrom("a", "b", "c").map(create),
  fc.constantFrom("a", "b", "c").map(replace),
  fc.tuple(fc.constantFrom("a", "b"), fc.constantFrom("b", "c")).map(([from, to]) => swap(from, to)),
);
const smallOutcome = (call: Call): fc.Arbitrary<Outcome> =>
  call.kind === "read"
    ? fc.oneof(fc.constantFrom(undefined, "a", "b", "c").map(found), fc.constant(unknown))
    : fc.constantFrom(ok, ok, unknown, absent, conflict);
const smallOperation = smallCall.chain((call) =>
  fc
    .tuple(smallOutcome(call), fc.nat(12), fc.nat(8))
    .map(([outcome, invoked, duration]) => op(call, outcome, invoked, invoked + duration)),
);

/** Every order is tried, without any cleverness. */
function anyOrderExplains(operations: readonly Operation[], state: State = undefined): boolean {
  if (operations.every(({ outcome }) => outcome.kind === "unknown")) return true;
  const firstReturn = Math.min(
    ...operations.map(({ outcome, returned }) => (outcome.kind === "unknown" ? Number.POSITIVE_INFINITY : returned)),
  );
  return operations.some((operation, i) => {
    if (operation.invoked > firstReturn) return false;
    const next = apply(state, operation);
    if (next === "impossible") return false;
    return anyOrderExplains(
      operations.filter((_, other) => other !== i),
      next.after,
    );
  });
}

test("the search agrees with one that tries every order", async () => {
  let accepted = 0;
  await fc.assert(
    fc.property(fc.array(smallOperation, { maxLength: 6 }), (operations) => {
      const isFine = anyOrderExplains(operations);
      if (isFine) accepted++;
      expect(checkLinearizable(operations).kind).toBe(isFine ? "linearizable" : "impossible");
    }),
    runs(3000),
  );
  expect(accepted).toBeGreaterThan(100);
});

/** Clients that call one object, each a call after another; every call takes effect at some moment of its time, or is lost. */
const calls = fc.array(
  fc.record({
    client: fc.nat(4),
    kind: fc.constantFrom("read", "create", "replace", "swap", "stale swap", "delete"),
    wait: fc.nat(5),
    before: fc.nat(10),
    after: fc.nat(10),
    lost: fc.constantFrom("no", "no", "no", "no", "answer", "call"),
  }),
  { minLength: 50, maxLength: 300 },
);

test("what an object has really seen is always accepted, and found quickly", async () => {
  await fc.assert(
    fc.property(calls, (plan) => {
      expect(checkLinearizable(simulate(plan), 100_000)).toEqual({ kind: "linearizable" });
    }),
    runs(200),
  );
});

test("a stale read among many operations is found", async () => {
  await fc.assert(
    fc.property(calls, fc.nat(), (plan, at) => {
      const operations = simulate(plan.map((call) => ({ ...call, lost: "no" })));
      const end = Math.max(...operations.map(({ returned }) => returned));
      const values = operations.flatMap(({ call, outcome }) => ("value" in call && outcome.kind === "ok" ? [call.value] : []));
      const value = values[at % Math.max(1, values.length)];
      fc.pre(value !== undefined);
      const stale = [
        // Whether it is there in the end or not, it is there from here on.
        op(create("last"), unknown, end, end),
        op(replace("new"), ok, end + 1, end + 2),
        op(read, found("new"), end + 3, end + 4),
        op(read, found(value), end + 5, end + 6),
      ];
      expect(checkLinearizable([...operations, ...stale], 500_000).kind).toBe("impossible");
    }),
    runs(50),
  );
});

interface PlannedCall {
  readonly client: number;
  readonly kind: string;
  readonly wait: number;
  readonly before: number;
  readonly after: number;
  readonly lost: string;
}

function simulate(plan: readonly PlannedCall[]): Operation[] {
  const free = new Map<number, number>();
  const timed = plan.map((call) => {
    const invoked = (free.get(call.client) ?? 0) + call.wait;
    free.set(call.client, invoked + call.before + call.after);
    return { ...call, invoked, effect: invoked + call.before, returned: invoked + call.before + call.after };
  });
  let state: State;
  let past: string[] = [];
  const operations: Operation[] = [];
  for (const [i, { client, kind, lost, invoked, returned }] of [...timed].sort((a, b) => a.effect - b.effect).entries()) {
    const call = callOf(kind, `v${i}`, state, past);
    const outcome = outcomeOf(state, call);
    const done = lost === "call" ? { after: state } : apply(state, op(call, outcome, 0, 0));
    if (done === "impossible") throw new Error("the simulation is wrong");
    state = done.after;
    if (state !== undefined && !past.includes(state)) past = [...past.slice(-5), state];
    operations.push({ client: `c${client}`, call, outcome: lost === "no" ? outcome : unknown, invoked, returned });
  }
  return operations;
}

function callOf(kind: string, value: string, state: State, past: readonly string[]): Call {
  switch (kind) {
    case "create":
      return create(value);
    case "replace":
      return replace(value);
    case "swap":
      return swap(state ?? "nothing", value);
    case "stale swap":
      return swap(past[0] ?? "nothing", value);
    case "delete":
      return remove;
    default:
      return read;
  }
}

function outcomeOf(state: State, call: Call): Outcome {
  if (call.kind === "read") return found(state);
  return apply(state, op(call, ok, 0, 0)) !== "impossible" ? ok : state === undefined ? absent : conflict;
}
