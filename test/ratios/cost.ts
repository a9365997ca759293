import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Pairs of rounds whose middle counts. Odd. */
const ROUNDS = 7;

/** What is measured. Does its work so often that a round takes some milliseconds, and gives how often. */
export type Task = () => number | Promise<number>;

/**
 * Processor time, in microseconds, for each time that the task did its work. It hardly depends on what else the machine does; what it
 * depends on, all tasks of one run have alike.
 */
export async function cost(task: Task): Promise<number> {
  const before = process.cpuUsage();
  const times = await task();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

/**
 * How many times as much `one` costs as `other`: the middle of what pairs of rounds show. Both go first in turn, and both have been
 * compiled before anything counts.
 */
export async function costRatio(one: Task, other: Task): Promise<number> {
  for (const task of [one, other, one, other]) await task();
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [first, second] = round % 2 === 0 ? [one, other] : [other, one];
    const costs = [await cost(first), await cost(second)];
    if (round % 2 !== 0) costs.reverse();
    ratios.push((costs[0] ?? 0) / Math.max(costs[1] ?? 0, Number.MIN_VALUE));
  }
  const ratio = middle(ratios);
  say(ratio);
  return ratio;
}

/** The middle of an odd number of values. */
export function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** With `KYBERN_SAY_RATIOS=1` what was measured is told, for who chooses a bound. */
export function say(...values: readonly number[]): void {
  if (process.env.KYBERN_SAY_RATIOS) console.info("measured", ...values.map((value) => Number(value.toPrecision(3))));
}

let collect: (() => void) | undefined;

/** Bytes that are held when nothing is left to be collected: the heap, and what lies beside it. */
export async function heldBytes(): Promise<number> {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  // What the first finds to be finished is free after the second.
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate);
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
