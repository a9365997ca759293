import { expect, test } from "vitest";
import { answersProgressInOrder } from "./progress-support.ts";

test.each([
  ["3.3.99", false],
  ["3.4.23", false],
  ["3.4.31", true],
  ["3.5.12", false],
  ["3.5.13", true],
  ["3.6.0-rc.1", true],
  ["4.0.0", true],
  ["", false],
])("etcd %j answers progress requests in order: %s", (version, want) => {
  expect(answersProgressInOrder(version)).toBe(want);
});
