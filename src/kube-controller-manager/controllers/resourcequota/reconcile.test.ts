import { expect, test } from "vitest";
import type { ResourceQuota } from "#api/generated/core/v1.ts";
import { formatResourceList, parseResourceList } from "#component-helpers/quota/resource-list.ts";
import { reconcile, SETTLE_MS, type Sinking } from "./reconcile.ts";

type Amounts = Record<string, string>;

interface Case {
  readonly name: string;
  readonly hard?: Amounts;
  readonly status?: { hard?: Amounts; used?: Amounts };
  readonly usage: Amounts;
  /** What was charged when less use was seen first, and how long ago. */
  readonly sinking?: readonly [Amounts, number];
  readonly complete?: boolean;
  readonly want: readonly unknown[];
}

const NOW = 10_000;
const hard = { pods: "10" };
const write = (used: Amounts): unknown => ({ type: "writeStatus", used });
const remember = (used: Amounts, sinceMs = NOW): unknown => ({ type: "remember", used, sinceMs });
const requeue = (afterMs = SETTLE_MS): unknown => ({ type: "requeue", afterMs });

test.each<Case>([
  { name: "a new quota is counted, and looked at again", usage: { pods: "3" }, want: [write({ pods: "3" }), requeue()] },
  { name: "all is as it was", status: { hard, used: { pods: "3" } }, usage: { pods: "3" }, want: [] },
  {
    name: "other limits are told",
    status: { hard: { pods: "5" }, used: { pods: "3" } },
    usage: { pods: "3" },
    want: [write({ pods: "3" }), requeue()],
  },
  {
    name: "more use is told at once",
    status: { hard, used: { pods: "3" } },
    usage: { pods: "4" },
    want: [write({ pods: "4" }), requeue()],
  },
  {
    name: "less use may be what is still on its way",
    status: { hard, used: { pods: "3" } },
    usage: { pods: "2" },
    want: [remember({ pods: "3" }), requeue()],
  },
  {
    name: "not long enough",
    status: { hard, used: { pods: "3" } },
    usage: { pods: "2" },
    sinking: [{ pods: "3" }, 400],
    want: [requeue(600)],
  },
  {
    name: "less use has settled",
    status: { hard, used: { pods: "3" } },
    usage: { pods: "2" },
    sinking: [{ pods: "3" }, SETTLE_MS],
    want: [remember({}, -1), write({ pods: "2" }), requeue()],
  },
  {
    name: "what was charged since then may be on its way",
    status: { hard, used: { pods: "5" } },
    usage: { pods: "1" },
    sinking: [{ pods: "3" }, SETTLE_MS],
    want: [remember({ pods: "3" }), write({ pods: "3" }), requeue()],
  },
  {
    name: "it was on its way indeed",
    status: { hard, used: { pods: "3" } },
    usage: { pods: "3" },
    sinking: [{ pods: "3" }, 400],
    want: [remember({}, -1)],
  },
  {
    name: "what cannot be counted any more stays; what never could is left out; both may come",
    complete: false,
    hard: { "count/widgets.example.com": "1", odd: "1" },
    status: { hard: { "count/widgets.example.com": "1", odd: "1" }, used: { "count/widgets.example.com": "1" } },
    usage: {},
    want: [requeue(30_000)],
  },
  {
    name: "what is limited no longer goes",
    hard: {},
    status: { hard, used: { pods: "3" } },
    usage: {},
    want: [write({}), requeue()],
  },
])("$name", ({ hard: limits = hard, status, usage, sinking, complete = true, want }) => {
  const quota = { metadata: { name: "q" }, spec: { hard: limits }, ...(status === undefined ? {} : { status }) } as ResourceQuota;
  const known: Sinking | undefined = sinking && { used: parseResourceList(sinking[0]), sinceMs: NOW - sinking[1] };
  const actions = reconcile({ quota, usage: parseResourceList(usage), complete, sinking: known, nowMs: NOW });
  const shown = actions.map((action) => {
    if (action.type === "writeStatus") return write(formatResourceList(action.used));
    if (action.type === "remember")
      return remember(formatResourceList(action.sinking?.used ?? new Map()), action.sinking?.sinceMs ?? -1);
    return action;
  });
  expect(shown).toEqual(want);
});
