import { expect, test } from "vitest";
import { reconcile } from "./reconcile.ts";

const NOW = Date.parse("2030-01-01T00:00:00Z");

test.each([
  { name: "without an end stays", expiration: undefined, want: [] },
  { name: "of another type stays", expiration: "2020-01-01T00:00:00Z", type: "Opaque", want: [] },
  { name: "whose time is not up is looked at then", expiration: "2030-01-01T00:00:05Z", want: ["requeue 5000"] },
  { name: "whose time is up goes", expiration: "2029-12-31T23:59:59Z", want: ["delete"] },
  { name: "with an end that nobody can read goes", expiration: "soon", want: ["delete"] },
])("a token $name", ({ expiration, type = "bootstrap.kubernetes.io/token", want }) => {
  const data = expiration === undefined ? {} : { expiration: Buffer.from(expiration).toString("base64") };
  const actions = reconcile({ secret: { metadata: { name: "bootstrap-token-abc" }, type, data }, nowMs: NOW });
  expect(actions.map((action) => (action.type === "requeue" ? `requeue ${action.afterMs}` : action.type))).toEqual(want);
});
