import { usage } from "../server.mjs";

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Runs `task(client, i)` for i in [0, count), each client one at a time. Gives operations per second, the server's processor
 * time per operation, and how long the middle one and one in a hundred took, in milliseconds.
 */
export async function rate(server, clients, count, task) {
  let next = 0;
  const times = new Float64Array(count);
  const before = usage(server).cpuMs;
  const started = performance.now();
  await Promise.all(
    clients.map(async (client, at) => {
      for (let i = next++; i < count; i = next++) {
        const began = performance.now();
        await task(client, i, at);
        times[i] = performance.now() - began;
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  times.sort();
  const [p50Ms, p99Ms] = [0.5, 0.99].map((part) => Number(times[Math.floor(part * (count - 1))].toFixed(2)));
  return { perSecond: Math.round(count / seconds), cpuMicros: ((usage(server).cpuMs - before) * 1000) / count, p50Ms, p99Ms };
}

/** Fails with the answer's text unless it has this status. */
export function expect(status, answer) {
  if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status}: ${answer.text()}`);
  return answer;
}

/** What a GET of a path answers. */
export async function get(client, path) {
  return JSON.parse(expect(200, await client.request("GET", path, undefined, { keep: true })).text());
}

/** How many objects there are of those that a list, whole or not, is about. */
export const countOf = (list) => list.items.length + (list.metadata.remainingItemCount ?? 0);

const PATIENCE_MS = 20_000;

/** Asks again and again until the answer is yes. */
export async function until(what, holds, patienceMs = PATIENCE_MS, pauseMs = 1) {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > patienceMs) throw new Error(`no ${what} within ${patienceMs} ms`);
    await sleep(pauseMs);
  }
}

/** The middle of several times. */
export function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

export const connectAll = (count, connect) => Promise.all(Array.from({ length: count }, connect));
