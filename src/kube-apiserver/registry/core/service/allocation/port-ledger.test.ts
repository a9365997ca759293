import { expect, test } from "vitest";
import { encodeMessage } from "#apimachinery/protobuf/encode.ts";
import { inEnvelope } from "#apimachinery/protobuf/envelope.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { assert } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { PortLedger } from "./port-ledger.ts";
import { PortSet } from "./port-set.ts";

const KEY = "/registry/ranges/servicenodeports";
const MINUTE_MS = 60_000;

function setUp(): { kv: MemoryStore; inUse: PortSet; pass: (ms: number) => void; ledger: () => PortLedger } {
  let now = 0;
  const clock = { elapsed: () => now, setTimeout: () => ({ clear: () => undefined }) } as unknown as Clock;
  const kv = new MemoryStore({ clock });
  const inUse = new PortSet();
  return {
    kv,
    inUse,
    pass: (ms) => {
      now += ms;
    },
    ledger: () => new PortLedger({ kv, clock, range: "30000-32767", inUse: () => inUse }),
  };
}

const take = (ledger: PortLedger, ...ports: number[]): Promise<void> =>
  ledger.change((taken) => {
    for (const port of ports) taken.add(port);
    return { result: undefined, taken };
  });
const taken = (ledger: PortLedger): Promise<number[]> => ledger.change((before) => ({ result: before.without(new PortSet()) }));

test("what one server takes the others see, however many take at once", async () => {
  const { ledger } = setUp();
  const ledgers = [ledger(), ledger(), ledger()];
  await Promise.all(Array.from({ length: 30 }, (_, i) => take(ledgers[i % 3] as PortLedger, 30_000 + 7 * i)));
  expect(await taken(ledger())).toEqual(Array.from({ length: 30 }, (_, i) => 30_000 + 7 * i));
});

test("the stored form is upstream's: a bit for each port in one large number", async () => {
  const { kv, ledger } = setUp();
  await take(ledger(), 30_000, 30_009, 30_007);
  const { kv: stored } = await kv.get(KEY);
  expect(JSON.parse(Buffer.from(stored?.value ?? []).toString())).toEqual({
    apiVersion: "v1",
    kind: "RangeAllocation",
    metadata: {},
    range: "30000-32767",
    data: Buffer.from([0x02, 0x81]).toString("base64"),
  });
});

test("what upstream stored as protobuf is read", async () => {
  const { kv, ledger } = setUp();
  const schema = schemaFor("", "v1", "RangeAllocation");
  assert(schema !== undefined, "RangeAllocation has a type");
  const object = { metadata: {}, range: "30000-32767", data: Buffer.from([0x02, 0x81]).toString("base64") };
  const value = inEnvelope("v1", "RangeAllocation", encodeMessage(schema, object));
  await kv.txn({ key: KEY, expectedModRevision: 0, put: { value } });
  expect(await taken(ledger())).toEqual([30_000, 30_007, 30_009]);
});

test("ports of Services are taken whatever is stored, and what is given back is free", async () => {
  const { inUse, ledger } = setUp();
  const one = ledger();
  inUse.add(30_100);
  await take(one, 30_200, 30_300);
  one.release([30_200]);
  await expect.poll(() => taken(one), { interval: 1 }).toEqual([30_100, 30_300]);
});

test("a port that no Service has had for ten minutes was left behind", async () => {
  const { inUse, pass, ledger } = setUp();
  const one = ledger();
  await take(one, 30_100, 30_200);
  inUse.add(30_200);
  expect(await taken(one)).toEqual([30_100, 30_200]);
  pass(9 * MINUTE_MS);
  expect(await taken(one)).toEqual([30_100, 30_200]);
  pass(2 * MINUTE_MS);
  expect(await taken(one)).toEqual([30_200]);
});

test("a port that is taken anew has not been unused since it was taken before", async () => {
  const { pass, ledger } = setUp();
  const one = ledger();
  await take(one, 30_100);
  expect(await taken(one)).toEqual([30_100]);
  one.release([30_100]);
  await expect.poll(() => taken(one), { interval: 1 }).toEqual([]);
  pass(11 * MINUTE_MS);
  await take(one, 30_100);
  expect(await taken(one)).toEqual([30_100]);
});

test("what the change throws is thrown, and nothing is written", async () => {
  const { kv, ledger } = setUp();
  const change = ledger().change(() => {
    throw new Error("taken");
  });
  await expect(change).rejects.toThrow("taken");
  expect((await kv.get(KEY)).kv).toBeUndefined();
});
