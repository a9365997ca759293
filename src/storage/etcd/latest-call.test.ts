import { expect, test } from "vitest";
import { LatestCall } from "./latest-call.ts";

test("an answer is shared, but is never older than the question", async () => {
  const answers: ((value: number) => void)[] = [];
  const call = new LatestCall(() => new Promise<number>((resolve) => answers.push(resolve)));
  const first = call.ask();
  const during = [call.ask(), call.ask()];
  expect(answers).toHaveLength(1);
  answers[0]?.(1);
  expect(await first).toBe(1);
  await expect.poll(() => answers.length, { interval: 1 }).toBe(2);
  answers[1]?.(2);
  expect(await Promise.all(during)).toEqual([2, 2]);
  void call.ask();
  expect(answers).toHaveLength(3);
});

test("a call that fails does not keep the next from being made", async () => {
  let calls = 0;
  const call = new LatestCall(async () => {
    calls++;
    if (calls === 1) throw new Error("no");
    return calls;
  });
  const [first, second] = [call.ask(), call.ask()];
  await expect(first).rejects.toThrow("no");
  expect(await second).toBe(2);
});
