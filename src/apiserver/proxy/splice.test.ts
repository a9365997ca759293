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

test("what one says the other hears, to the last byte", async () => {
  const { client, backend, over } = joined();
  const heard = text(client);
  backend.write("one ");
  backend.end("two");
  expect(await heard).toBe("one two");
  client.end();
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
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(11_000);
  await over;
});
