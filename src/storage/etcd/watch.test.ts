import { expect, test } from "vitest";
import type { ChangeMessage } from "./messages.ts";
import { Watch } from "./watch.ts";

function put(key: string, modRevision: number): ChangeMessage {
  const kv = { key, value: new Uint8Array(), createRevision: modRevision, modRevision, version: 1, lease: 0 };
  return { deleted: false, kv };
}

test("what was collected is delivered at once, in its order, without what was delivered before or is another's", async () => {
  const calls: (readonly [number, string[]])[] = [];
  const onEvents = (events: readonly { key: string }[], revision: number): void =>
    void calls.push([revision, events.map(({ key }) => key)]);
  const options = { startRevision: 5, signal: new AbortController().signal, onEvents, onError: () => undefined };
  const watch = new Watch(1, "/a/", options);
  let reached = false;
  const arrival = watch.reached(7)?.then(() => {
    reached = true;
  });
  watch.collect([put("/a/old", 4), put("/a/x", 5)]);
  watch.collect([put("/b/x", 6), put("/a/y", 7)]);
  watch.collect([put("/b/y", 8)]);
  expect(calls).toEqual([]);
  watch.deliver();
  expect(calls).toEqual([[8, ["/a/x", "/a/y"]]]);
  await arrival;
  expect(reached).toBe(true);
  watch.deliver();
  expect(calls).toHaveLength(1);
});
