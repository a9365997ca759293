import { expect, test } from "vitest";
import { reconcile } from "./reconcile.ts";

const MINUTE_MS = 60_000;
const request = { metadata: { name: "r", creationTimestamp: "2030-01-01T00:00:00Z" }, spec: {} } as never;
const at = (minutes: number): number => Date.parse("2030-01-01T00:00:00Z") + minutes * MINUTE_MS;

test.each([
  ["a young one stays", at(5), [{ type: "requeue", afterMs: 10 * MINUTE_MS }]],
  ["an old one goes", at(15), [{ type: "delete", request }]],
])("%s", (_, nowMs, want) => {
  expect(reconcile({ request, nowMs })).toEqual(want);
});
