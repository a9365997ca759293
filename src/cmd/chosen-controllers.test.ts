import { expect, test } from "vitest";
import { chosenControllers } from "./chosen-controllers.ts";

const known = ["job-controller", "ttl-controller", "bootstrap-signer-controller"];

test.each([
  { words: ["*"], want: ["job-controller", "ttl-controller"] },
  { words: ["*", "bootstrapsigner"], want: known },
  { words: ["*", "-ttl"], want: ["job-controller"] },
  { words: ["-job-controller", "*"], want: ["ttl-controller"] },
  { words: ["job"], want: ["job-controller"] },
  { words: ["*", "-attachdetach"], want: ["job-controller", "ttl-controller"] },
  { words: [], want: [] },
])("$words", ({ words, want }) => {
  expect(chosenControllers(words, known)).toEqual(want);
});

test("who is not known is an error", () => {
  expect(() => chosenControllers(["jobs"], known)).toThrow('there is no controller "jobs"');
});
