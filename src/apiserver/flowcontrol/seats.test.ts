import { expect, test } from "vitest";
import { resolveRequestInfo } from "../request/resolve-request-info.ts";
import { allocateSeats } from "./concurrency.ts";
import { RetryAfter } from "./retry-after.ts";
import { estimateSeats } from "./work-estimate.ts";

test.each([
  { name: "one object", path: "/api/v1/namespaces/a/pods/x", seats: 1 },
  { name: "a list of 5,000 objects", path: "/api/v1/pods", seats: 10 },
  { name: "a page of it", path: "/api/v1/pods?limit=100", seats: 3 },
  { name: "a list in a level with little room", path: "/api/v1/pods", maxSeats: 2, seats: 2 },
  { name: "a list of nothing known", path: "/apis/x/v1/things", seats: 1 },
  { name: "a watch that begins with everything", path: "/api/v1/pods?watch=true", seats: 10 },
  { name: "a watch that goes on", path: "/api/v1/pods?watch=true&resourceVersion=7", seats: 1 },
  { name: "one object by its name", path: "/api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dx", seats: 1 },
])("$name takes $seats", ({ path, maxSeats = 37, seats }) => {
  const [plain = "", search = ""] = path.split("?");
  const query = new URLSearchParams(search);
  const info = resolveRequestInfo("GET", plain, query);
  const size = { count: 5000, averageBytes: 2400 };
  expect(estimateSeats(info, query, maxSeats, ({ resource }) => (resource === "pods" ? size : undefined))).toBe(seats);
});

test.each([
  {
    name: "everybody gets what is wanted within bounds",
    total: 100,
    levels: [
      [10, 100, 20],
      [10, 100, 20],
    ],
    want: [50, 50],
  },
  {
    name: "who wants more gets more",
    total: 100,
    levels: [
      [10, 100, 60],
      [10, 100, 20],
    ],
    want: [75, 25],
  },
  {
    name: "minima are kept",
    total: 100,
    levels: [
      [40, 100, 0],
      [10, 100, 300],
    ],
    want: [40, 60],
  },
  {
    name: "maxima are not passed",
    total: 100,
    levels: [
      [5, 20, 90],
      [5, 100, 10],
    ],
    want: [20, 80],
  },
])("$name", ({ total, levels, want }) => {
  const asked = levels.map(([minimum = 0, maximum = 0, target = 0]) => ({ minimum, maximum, target }));
  expect(allocateSeats(total, asked)).toEqual(want);
});

test("refused clients wait longer the more of them there are, and less again afterwards", () => {
  const retry = new RetryAfter();
  expect(retry.seconds).toBe(1);
  for (let second = 1; second <= 40; second++) for (let i = 0; i < 50; i++) retry.recordRefusal(second * 1000);
  expect(retry.seconds).toBe(32);
  for (let second = 200; second <= 300; second++) retry.recordRefusal(second * 1000);
  expect(retry.seconds).toBeLessThan(33);
  for (let second = 1000; second <= 10_000; second += 100) retry.recordRefusal(second * 1000);
  expect(retry.seconds).toBe(1);
});
