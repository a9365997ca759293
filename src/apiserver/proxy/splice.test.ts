import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { duplexPair } from "#base/duplex-pair.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { splice } from "./splice.ts";

function joined() {
  const [client, a] = duplexPair();
  const [b, backend] = duplexPair();
  const stop = new AbortController();
  const clock = new ManualClock();
  const over = splice(a, b, { clock, signal: stop.signal });
  for (const end of [client, backend]) end.on("error", () => {});
  return { client, backend, stop, clock, over };
}

const turns = async (count = 20): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test("what one says the other hears, to the last byte, and then the end", async () => {
  const { client, backend, clock, over } = joined();
  const heard = text(client);
  backend.write("one ");
  backend.end("two");
  await turns();
  clock.advance(200);
  expect(await heard).toBe("one two");
  client.end();
  await over;
});

test("a client that has heard the last word ends by itself", async () => {
  const { client, backend, over } = joined();
  backend.resume();
  backend.end("3");
  const [word] = await once(client, "data");
  expect(String(word)).toBe("3");
  await turns();
  expect(client.readableEnded).toBe(false);
  client.destroy();
  await over;
});

test("a side that breaks takes the other with it", async () => {
  const { client, backend, over } = joined();
  backend.resume();
  client.destroy();
  await over;
  expect(backend.destroyed || backend.readableEnded).toBe(true);
});

test("a stop ends both", async () => {
  const { client, backend, stop, over } = joined();
  client.resume();
  backend.resume();
  stop.abort();
  await over;
});

test("who does not read what was said last is not waited for", async () => {
  const { backend, clock, over } = joined();
  backend.end(Buffer.alloc(1_000_000));
  await turns();
  clock.advance(11_000);
  await over;
});
