import { expect, test } from "vitest";
import { readReview, writeReview } from "./token-review.ts";

const review = (over: object): string =>
  JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token: "t" }, ...over });

test.each([
  ["v1", review({}), { apiVersion: "authentication.k8s.io/v1", token: "t" }],
  [
    "v1beta1",
    review({ apiVersion: "authentication.k8s.io/v1beta1" }),
    { apiVersion: "authentication.k8s.io/v1beta1", token: "t" },
  ],
  [
    "an unknown version",
    review({ apiVersion: "authentication.k8s.io/v2" }),
    { problem: expect.stringContaining("not a TokenReview") },
  ],
  ["another kind", review({ kind: "Pod" }), { problem: expect.stringContaining("not a TokenReview") }],
  ["no token", review({ spec: {} }), { problem: "spec.token is not a text" }],
  ["no spec", review({ spec: null }), { problem: "spec.token is not a text" }],
  ["null", "null", { problem: expect.stringContaining("not a TokenReview") }],
  ["no JSON", "{", { problem: "the body is not JSON" }],
])("%s", (_name, body, want) => {
  expect(readReview(body)).toEqual(want);
});

test("what is not known of a user is left out", () => {
  const apiVersion = "authentication.k8s.io/v1";
  const user = { name: "a", uid: "", groups: [], extra: {} };
  expect(writeReview(apiVersion, { user })).toEqual({
    apiVersion,
    kind: "TokenReview",
    status: { authenticated: true, user: { username: "a", groups: [] } },
  });
  expect(writeReview(apiVersion, { error: "e" })).toMatchObject({ status: { authenticated: false, error: "e" } });
});
