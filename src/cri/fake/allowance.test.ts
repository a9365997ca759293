import { expect, test } from "vitest";
import { Allowance } from "./allowance.ts";

test("what is taken counts for all that it is within, and comes back", () => {
  const node = new Allowance({ bytes: 100, processes: 2 });
  const [a, b] = [new Allowance({ bytes: 80, processes: 2 }, node), new Allowance({ bytes: 80, processes: 2 }, node)];
  expect([a.take(81), a.take(80), b.take(21), b.take(20)]).toEqual([false, true, false, true]);
  expect([a.enter(), b.enter(), a.enter(), a.busy]).toEqual([true, true, false, 2]);
  a.release();
  b.leave();
  expect([node.bytes, b.take(60), a.enter()]).toEqual([20, true, true]);
});
