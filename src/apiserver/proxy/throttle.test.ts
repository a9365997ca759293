import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { Throttle } from "./throttle.ts";

test("so much goes through in a second, in order, up to the end", async () => {
  const clock = new ManualClock();
  const throttle = new Throttle(10_000, clock);
  let received = 0;
  let ended = false;
  throttle.on("data", (chunk: Buffer) => {
    received += chunk.byteLength;
  });
  throttle.once("end", () => {
    ended = true;
  });
  throttle.end(Buffer.alloc(50_000));
  const after: number[] = [];
  for (let second = 0; second < 6; second++) {
    clock.advance(1_000);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    after.push(received);
  }
  expect(after).toEqual([0, 16_384, 16_384, 32_768, 49_152, 50_000]);
  expect(ended).toBe(true);
});
