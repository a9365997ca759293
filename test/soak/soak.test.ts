import { expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { heldBytes, middle, say } from "../ratios/cost.ts";
import { changes, forgetEvents, forgetfulCluster, rollout, visitors } from "./busy.ts";

const MINUTES = Number(process.env.KYBERN_SOAK_MINUTES);
const CHANGES = 50;
const VISITORS = 2;
const ROUNDS_BETWEEN_SAMPLES = 10;
/** What a slow machine does in so many minutes would be too little to tell growth from chance. */
const SAMPLES_MIN = 30;
/** What a slow machine may take beyond the minutes. */
const LONGER_MS = 3_600_000;
/** So many times as long as a round took nothing is done: other tests run beside. */
const REST = 2;
/**
 * Measured: 12,000 to 16,000 in the first 300 rounds, of which 11,000 are what recorders remember of events: that ends at 4,096 entries of each.
 * A round makes 250 changes, two Pods, four connections and two watches: a change that is kept is 1,500 bytes, a Pod's more, a watch
 * 6,200, a connection 50,000.
 */
const ROUND_BYTES_MAX = 25_000;

async function busyForLong(): Promise<void> {
  await using cluster = await forgetfulCluster(2);
  const end = performance.now() + MINUTES * 60_000;
  const samples: number[] = [];
  while (performance.now() < end || samples.length < SAMPLES_MIN) {
    for (let i = 0; i < ROUNDS_BETWEEN_SAMPLES; i++) {
      const began = performance.now();
      await rollout(cluster);
      await changes(cluster, CHANGES);
      await visitors(cluster, VISITORS);
      await realClock.sleep(REST * (performance.now() - began));
    }
    await forgetEvents(cluster);
    const held = await heldBytes();
    samples.push(held);
    say(samples.length, held);
  }
  const third = Math.floor(samples.length / 3);
  const grown = middle(samples.slice(-third)) - middle(samples.slice(third, 2 * third));
  const rounds = ROUNDS_BETWEEN_SAMPLES * third;
  console.info(`${samples.length * ROUNDS_BETWEEN_SAMPLES} rounds, ${Math.round(grown / rounds)} bytes more with each`);
  expect(grown / rounds).toBeLessThan(ROUND_BYTES_MAX);
}

test(`a cluster that is busy for ${MINUTES} minutes does not grow`, busyForLong, MINUTES * 60_000 + LONGER_MS);
