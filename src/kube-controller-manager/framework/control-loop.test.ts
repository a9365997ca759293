import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ConfigMap } from "#api/generated/core/v1.ts";
import { conflict } from "#apimachinery/api-errors/errors.ts";
import { realClock } from "#base/clock.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import { FakeClient } from "#client/fake-client.ts";
import { SharedInformerFactory } from "#client/informer.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { runControlLoop } from "./control-loop.ts";
import { type AnyController, controller, source } from "./controller.ts";
import { CONFIG_MAPS } from "./resources.ts";

type Action = { readonly type: "write" };

let client: FakeClient;
let stopping: AbortController;
let informers: SharedInformerFactory;
beforeEach(() => {
  client = new FakeClient({
    resources: [{ id: CONFIG_MAPS, kind: "ConfigMap", namespaced: true }],
    clock: realClock,
    random: seededRandom(1),
  });
  stopping = new AbortController();
  informers = new SharedInformerFactory({ client, clock: realClock, random: seededRandom(2) });
});
afterEach(() => stopping.abort());

function countTo(attempts: number, work: (attempt: number) => Promise<void>): AnyController {
  const maps = informers.informer<ConfigMap>(CONFIG_MAPS);
  let attempt = 0;
  return controller<ConfigMap, Action>({
    sources: [source(maps, ({ object }) => [keyOf(object)])],
    observe(key) {
      const { namespace, name } = splitKey(key);
      return maps.lister.get(namespace, name);
    },
    reconcile: () => (attempt < attempts ? [{ type: "write" }] : []),
    execute: () => work(++attempt),
  });
}

test("what lost a race is tried again, later and later, until it succeeds", async () => {
  const seen: [number, unknown][] = [];
  const done = vi.fn();
  const instance = countTo(4, async (attempt) => {
    if (attempt < 4) throw conflict({ group: "", resource: "configmaps" }, "a", "modified");
    done();
  });
  const loop = runControlLoop(instance, {
    name: "test",
    workers: 1,
    clock: realClock,
    observer: { synced: (_name, _key, _ms, attempt, error) => seen.push([attempt, error]) },
    signal: stopping.signal,
  });
  informers.start(stopping.signal);
  await client.create<ConfigMap>(CONFIG_MAPS, "ns", { metadata: { name: "a" } });
  await vi.waitFor(() => expect(done).toHaveBeenCalledTimes(1));
  await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(4));
  expect(seen.slice(0, 4)).toEqual([1, 2, 3, 4].map((attempt) => [attempt, undefined]));
  stopping.abort();
  await loop;
});

test("a loop that is stopped finishes what it does, begins nothing more and leaves no timer", async () => {
  const clock = new ManualClock();
  let finish: () => void = () => {};
  const begun = vi.fn();
  const instance = countTo(100, async (attempt) => {
    begun();
    if (attempt > 2) {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    }
    throw new Error("again");
  });
  let ended = false;
  const loop = runControlLoop(instance, { name: "test", workers: 3, clock, signal: stopping.signal }).then(() => {
    ended = true;
  });
  informers.start(stopping.signal);
  await client.create<ConfigMap>(CONFIG_MAPS, "ns", { metadata: { name: "a" } });
  await vi.waitFor(() => {
    clock.advance(1000);
    expect(begun).toHaveBeenCalledTimes(3);
  });
  stopping.abort();
  await new Promise(setImmediate);
  expect(ended).toBe(false);
  finish();
  await loop;
  clock.advance(1000);
  await new Promise(setImmediate);
  expect(begun).toHaveBeenCalledTimes(3);
  expect(clock.pending).toBe(0);
});

test("a loop that is stopped before it has seen the cluster ends", async () => {
  const start = vi.fn();
  const instance = { ...(countTo(1, async () => {}) as object), start } as unknown as AnyController;
  const loop = runControlLoop(instance, { name: "test", workers: 1, clock: realClock, signal: stopping.signal });
  stopping.abort();
  await loop;
  expect(start).not.toHaveBeenCalled();
});
