import { expect, test } from "vitest";
import { BackOff } from "./back-off.ts";

test("the first restart is at once, later ones wait twice as long each, at most five minutes", () => {
  const backOff = new BackOff();
  const delays: number[] = [];
  let nowMs = 0;
  for (let restart = 0; restart < 8; restart++) {
    const allowedAtMs = backOff.allowedAtMs("c", nowMs);
    delays.push((allowedAtMs - nowMs) / 1000);
    nowMs = allowedAtMs;
    backOff.next("c", nowMs);
  }
  expect(delays).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
  expect(backOff.delayMs("c")).toBe(300_000);
  expect(backOff.delayMs("other")).toBe(0);
});

test("a node may be quicker", () => {
  const backOff = new BackOff(3000);
  backOff.next("c", 0);
  expect(backOff.delayMs("c")).toBe(3000);
  backOff.next("c", 3000);
  expect(backOff.delayMs("c")).toBe(3000);
  backOff.next("c", 9001);
  expect(backOff.allowedAtMs("c", 15_002)).toBe(15_002);
});

test("a container that ran for ten minutes starts over", () => {
  const backOff = new BackOff();
  backOff.next("c", 0);
  backOff.next("c", 10_000);
  expect(backOff.allowedAtMs("c", 600_000)).toBe(620_000);
  expect(backOff.allowedAtMs("c", 700_000)).toBe(700_000);
  backOff.next("c", 700_000);
  expect(backOff.delayMs("c")).toBe(10_000);
});

test("what would start over is forgotten, and what is held back is not", () => {
  const backOff = new BackOff();
  backOff.next("old", 0);
  backOff.next("new", 100_000);
  backOff.forgetOld(600_001);
  expect([backOff.delayMs("old"), backOff.delayMs("new")]).toEqual([0, 10_000]);
});
