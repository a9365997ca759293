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

export const connectAll = (count, connect) => Promise.all(Array.from({ length: count }, connect));
