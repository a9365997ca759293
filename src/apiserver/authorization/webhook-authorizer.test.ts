import { expect, test } from "vitest";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { Clock } from "#base/clock.ts";
import { silentLogger } from "#component-base/logging.ts";
import type { ConfiguredExpression } from "../cel/configured-expression.ts";
import type { AuthorizationAttributes, Decision } from "./authorizer.ts";
import { unionAuthorizer } from "./authorizer.ts";
import { compileAccessCondition } from "./match-conditions.ts";
import { webhookAuthorizer } from "./webhook-authorizer.ts";

const ASKED: AuthorizationAttributes = {
  user: { name: "jane", uid: "", groups: ["dev"], extra: {} },
  verb: "list",
  isResourceRequest: true,
  namespace: "ns",
  apiGroup: "",
  apiVersion: "v1",
  resource: "pods",
  subresource: "",
  name: "",
  path: "",
  fieldSelector: "spec.nodeName=n",
  labelSelector: "app in (a,b),!old",
};

function webhook(
  answer: () => object,
  decisionOnError: "deny" | "no-opinion" = "no-opinion",
  conditions: readonly ConfiguredExpression[] = [],
) {
  const state = { now: 0, posted: [] as unknown[] };
  const authorizer = webhookAuthorizer({
    post: async (review) => {
      state.posted.push(review);
      return answer();
    },
    version: "v1",
    authorizedTtlMs: 1000,
    unauthorizedTtlMs: 100,
    decisionOnError,
    conditions,
    clock: { elapsed: () => state.now } as Clock,
    logger: silentLogger,
  });
  return { authorizer, state };
}

const fail = (): never => {
  throw new Error("down");
};

test("asks as upstream does", async () => {
  const { authorizer, state } = webhook(() => ({ status: { allowed: true } }));
  await authorizer.authorize(ASKED);
  expect(state.posted).toEqual([
    {
      kind: "SubjectAccessReview",
      apiVersion: "authorization.k8s.io/v1",
      metadata: {},
      spec: {
        resourceAttributes: {
          namespace: "ns",
          verb: "list",
          version: "v1",
          resource: "pods",
          fieldSelector: { requirements: [{ key: "spec.nodeName", operator: "In", values: ["n"] }] },
          labelSelector: {
            requirements: [
              { key: "app", operator: "In", values: ["a", "b"] },
              { key: "old", operator: "DoesNotExist" },
            ],
          },
        },
        user: "jane",
        groups: ["dev"],
      },
      status: { allowed: false },
    },
  ]);
});

test.each<[string, () => object, "deny" | "no-opinion", Decision]>([
  ["yes", () => ({ status: { allowed: true, reason: "r" } }), "deny", { decision: "allow", reason: "r" }],
  ["no", () => ({ status: { denied: true, reason: "r" } }), "no-opinion", { decision: "deny", reason: "r" }],
  ["neither", () => ({ status: {} }), "no-opinion", { decision: "no-opinion", reason: "" }],
  [
    "both",
    () => ({ status: { allowed: true, denied: true } }),
    "no-opinion",
    { decision: "deny", reason: "", error: "webhook subject access review returned both allow and deny response" },
  ],
  ["no answer", fail, "no-opinion", { decision: "no-opinion", reason: "", error: "down" }],
  ["no answer, and closed", fail, "deny", { decision: "deny", reason: "", error: "down" }],
])("%s", async (_name, answer, onError, want) => {
  expect(await webhook(answer, onError).authorizer.authorize(ASKED)).toEqual(want);
});

test.each([
  { name: "a yes is remembered", allowed: true, after: 999, want: 1 },
  { name: "for its time", allowed: true, after: 1000, want: 2 },
  { name: "a no for a shorter one", allowed: false, after: 100, want: 2 },
])("$name", async ({ allowed, after, want }) => {
  const { authorizer, state } = webhook(() => ({ status: { allowed } }));
  await authorizer.authorize(ASKED);
  state.now = after;
  await authorizer.authorize(ASKED);
  expect(state.posted).toHaveLength(want);
});

test("who comes after a webhook without opinion is asked, and its failure is told when none allows", async () => {
  const { authorizer } = webhook(fail);
  const says = (decision: Decision["decision"], reason: string) => ({ authorize: () => ({ decision, reason }) });
  expect(await unionAuthorizer([says("no-opinion", "a"), authorizer, says("allow", "b")]).authorize(ASKED)).toEqual({
    decision: "allow",
    reason: "b",
  });
  expect(await unionAuthorizer([says("no-opinion", "a"), authorizer, says("no-opinion", "b")]).authorize(ASKED)).toEqual({
    decision: "no-opinion",
    reason: "a\nb",
    error: "down",
  });
});

test.each([
  { name: "a condition that holds", expressions: ["request.user == 'jane' && 'dev' in request.groups"], want: "asked" },
  { name: "one that does not", expressions: ["request.resourceAttributes.namespace == 'other'"], want: "not asked" },
  {
    name: "one about selectors",
    expressions: ["request.resourceAttributes.labelSelector.requirements.size() == 2"],
    want: "asked",
  },
  { name: "one about what is not there", expressions: ["has(request.nonResourceAttributes)"], want: "not asked" },
  { name: "one that fails", expressions: ["request.extra['x'][0] == 'y'"], want: "failed" },
  {
    name: "one that fails beside one that does not hold",
    expressions: ["request.extra['x'][0] == 'y'", "false"],
    want: "not asked",
  },
])("$name: $want", async ({ expressions, want }) => {
  const cel = await loadKubernetesCel();
  const conditions = expressions.map((expression) => compileAccessCondition(cel, expression) as ConfiguredExpression);
  const { authorizer, state } = webhook(() => ({ status: { allowed: true } }), "deny", conditions);
  const { decision } = await authorizer.authorize(ASKED);
  const told = state.posted.length > 0 ? "asked" : decision === "deny" ? "failed" : "not asked";
  expect(told).toBe(want);
});
