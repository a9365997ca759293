import { usage } from "../server.mjs";

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Runs `task(client, i)` for i in [0, count), each client one at a time. Returns operations per second and the
 * server's processor time per operation.
 */
export async function rate(server, clients, count, task) {
  let next = 0;
  const before = usage(server.pid).cpuMs;
  const started = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      for (let i = next++; i < count; i = next++) await task(client, i);
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  return { perSecond: Math.round(count / seconds), cpuMicros: ((usage(server.pid).cpuMs - before) * 1000) / count };
}

/** Fails with the answer's text unless it has this status. */
export function expect(status, answer) {
  if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status}: ${answer.text()}`);
  return answer;
}

const LIST_TRIES = 10;

/** The best of ten LISTs, until the last byte; `before` runs before each and does not count. */
export async function lists(report, server, what, ask, before = () => {}) {
  let best = Infinity;
  let bytes = 0;
  let cpuMs = 0;
  for (let i = 0; i < LIST_TRIES; i++) {
    await before();
    const cpuBefore = usage(server.pid).cpuMs;
    const started = performance.now();
    bytes = expect(200, await ask()).bytes;
    best = Math.min(best, performance.now() - started);
    cpuMs += usage(server.pid).cpuMs - cpuBefore;
  }
  const note = `${(bytes / 1e6).toFixed(1)} MB`;
  report.add(what, Number(best.toFixed(1)), "ms", { less: true, cpuMicros: (cpuMs * 1000) / LIST_TRIES, note });
}

const PATIENCE_MS = 20_000;

/** Asks again every millisecond until the answer is yes. */
export async function until(what, holds) {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > PATIENCE_MS) throw new Error(`no ${what} within ${PATIENCE_MS} ms`);
    await sleep(1);
  }
}

/** The middle of several times. */
export function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

export const connectAll = (count, connect) => Promise.all(Array.from({ length: count }, connect));
