import { expect, test } from "vitest";
import { danglingCondition } from "./dangling-condition.ts";

test("tells whether the level exists", () => {
  expect(danglingCondition("low", true, undefined, "now")).toEqual({
    type: "Dangling",
    status: "False",
    lastTransitionTime: "now",
    reason: "Found",
    message: 'This FlowSchema references the PriorityLevelConfiguration object named "low" and it exists',
  });
  expect(danglingCondition("low", false, undefined, "now")).toMatchObject({ status: "True", reason: "NotFound" });
});

test("keeps what says so already, and its time when only the words change", () => {
  const old = danglingCondition("low", true, undefined, "before");
  expect(danglingCondition("low", true, old, "now")).toBe(old);
  expect(danglingCondition("high", true, old, "now").lastTransitionTime).toBe("before");
  expect(danglingCondition("low", false, old, "now").lastTransitionTime).toBe("now");
});
