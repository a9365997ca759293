import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import type { Client } from "#client/client.ts";
import { accountClient } from "./account-client.ts";

const PODS = { group: "", version: "v1", resource: "pods" };
const NOW_MS = Date.parse("2030-01-01T00:00:00Z");
const MINUTE_MS = 60_000;

/** An account whose tokens live for an hour, and what it did. */
function setUp(): { clock: ManualClock; client: Client & { close(): void }; did: string[] } {
  const clock = new ManualClock();
  // As a machine's: the time of day is not the time since the start.
  clock.step(NOW_MS);
  const did: string[] = [];
  let asked = 0;
  const create = async () => ({ spec: { expirationSeconds: 3600 }, status: { token: `t${++asked}` } });
  const connect = (token: string) => {
    did.push(`connect ${token}`);
    return { get: async () => did.push(`get by ${token}`), close: () => did.push(`close ${token}`) } as never;
  };
  const client = accountClient({ root: { create } as unknown as Client, connect, account: "a", clock });
  return { clock, client, did };
}

test("a token is asked for once, and again before its time is over; what is under way has until the one after", async () => {
  const { clock, client, did } = setUp();
  const get = (): Promise<unknown> => client.get(PODS, "ns", "p");
  await get();
  await Promise.all([get(), get()]);
  clock.advance(49 * MINUTE_MS);
  await get();
  expect(did).toEqual(["connect t1", ...Array(4).fill("get by t1")]);
  did.length = 0;
  clock.advance(MINUTE_MS);
  await Promise.all([get(), get()]);
  expect(did).toEqual(["connect t2", "get by t2", "get by t2"]);
  did.length = 0;
  clock.advance(50 * MINUTE_MS);
  await get();
  expect(did).toEqual(["close t1", "connect t3", "get by t3"]);
});

test("a clock that is set makes no difference", async () => {
  const { clock, client, did } = setUp();
  await client.get(PODS, "ns", "p");
  for (const step of [24 * 60 * MINUTE_MS, -48 * 60 * MINUTE_MS]) {
    clock.step(step);
    await client.get(PODS, "ns", "p");
  }
  expect(did).toEqual(["connect t1", ...Array(3).fill("get by t1")]);
});
