import { expect, test } from "vitest";
import { withDefaults } from "../configuration/defaults.ts";
import { groupOf, shutdownGroups } from "./shutdown-groups.ts";

test("nothing is ended where nothing is said", () => {
  expect(shutdownGroups(withDefaults({}))).toEqual([]);
});

test("critical pods have the end of the whole time", () => {
  const settings = { ...withDefaults({}), shutdownGracePeriod: "30s", shutdownGracePeriodCriticalPods: "10s" };
  const groups = shutdownGroups(settings);
  expect(groups.map(({ graceSeconds }) => graceSeconds)).toEqual([20, 10]);
  expect([-5, 0, 1000, 2_000_001_000].map((priority) => groupOf(groups, priority)?.graceSeconds)).toEqual([20, 20, 20, 10]);
});

test("groups of priorities end from the least to the greatest", () => {
  const shutdownGracePeriodByPodPriority = [
    { priority: 1000, shutdownGracePeriodSeconds: 5 },
    { priority: 0, shutdownGracePeriodSeconds: 60 },
  ];
  const groups = shutdownGroups({ ...withDefaults({}), shutdownGracePeriodByPodPriority });
  expect(groups).toEqual([
    { priority: 0, graceSeconds: 60 },
    { priority: 1000, graceSeconds: 5 },
  ]);
});
