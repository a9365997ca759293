import { expect, test } from "vitest";
import { PodEnd } from "./pod-end.ts";

test.each(["before", "after"])("who asks %s a pod is to go hears that it is", (when) => {
  const end = new PodEnd(0);
  const early = when === "before" ? end.going : undefined;
  expect(early?.aborted ?? false).toBe(false);
  end.go();
  expect((early ?? end.going).aborted).toBe(true);
  expect(end.going).toBe(early ?? end.going);
});

test("who waits for the end of a pod is told once, and who comes later at once", async () => {
  const end = new PodEnd(0);
  const told: string[] = [];
  const failed = end.fail({ reason: "Evicted", message: "" }).then(() => told.push("ended"));
  const removed = end.remove().then(() => told.push("removed"));
  end.ended();
  await failed;
  expect(told).toEqual(["ended"]);
  end.removed();
  await removed;
  await Promise.all([end.fail({ reason: "Evicted", message: "" }), end.remove()]);
  expect(told).toEqual(["ended", "removed"]);
});
