import { expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { RateLimitingQueue } from "#client/work-queue.ts";
import { costRatio } from "./cost.ts";

const FEW = 500;
const MANY = 100_000;
/** Keys of one round, at least. */
const KEYS = 20_000;

/** All keys of a controller are handed out, as after its start. Gives how many. */
function keysOfQueue(size: number): () => Promise<number> {
  const keys = Array.from({ length: size }, (_, i) => `ns/p${i}`);
  const rounds = Math.ceil(KEYS / size);
  return async () => {
    for (let round = 0; round < rounds; round++) {
      const queue = new RateLimitingQueue({ clock: realClock });
      for (const key of keys) queue.add(key);
      while (queue.length > 0) queue.done((await queue.get()) ?? "");
    }
    return rounds * size;
  };
}

// Measured: 1.2 to 2. When each key is looked for from the beginning of the queue, 48.
test("a key costs a controller's queue among 100,000 little more than among 500", async () => {
  expect(await costRatio(keysOfQueue(MANY), keysOfQueue(FEW))).toBeLessThan(8);
}, 60_000);
