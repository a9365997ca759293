import { expect, test } from "vitest";
import { setUpFailed } from "./volume-manager.ts";

test("the event of a failed volume names it, and says why", () => {
  const error = setUpFailed("config", new Error('configmap "app" not found'));
  expect(error).toMatchObject({ volume: "config", reason: "FailedMount" });
  expect(error.message).toBe('MountVolume.SetUp failed for volume "config" : configmap "app" not found');
});
