import { afterEach, beforeEach, expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { Clock, Timer } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import type { ResourceDefinition } from "../../registry/resource.ts";
import { createStores, type StoreRegistry } from "../../registry/store/store-registry.ts";
import { resolveRequestInfo } from "../../request/resolve-request-info.ts";
import { DEFAULT_COLUMNS } from "../../table/table.ts";
import { isResponseStream, type ResponseSink } from "../response.ts";
import { resourceEndpoints } from "./dispatch.ts";
import type { ResourceEndpoint } from "./resource-handler.ts";
import { handleWatch, WATCH_BUFFER_BYTES_MAX } from "./watch.ts";

const configMaps: ResourceDefinition<ApiObject> = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  singular: "configmap",
  scope: "Namespaced",
  storagePrefix: "configmaps",
  columns: DEFAULT_COLUMNS,
  strategy: {},
};

/** Time that passes when told to. */
class ManualClock implements Clock {
  readonly timers = new Set<{ due: number; task: () => void }>();
  #now = 0;
  now(): number {
    return this.#now;
  }
  elapsed(): number {
    return this.#now;
  }
  setTimeout(task: () => void, delayMs: number): Timer {
    const timer = { due: this.#now + delayMs, task };
    this.timers.add(timer);
    return { clear: () => this.timers.delete(timer) };
  }
  setInterval(task: () => void, periodMs: number): Timer {
    const timer = { due: this.#now + periodMs, task: () => {} };
    timer.task = () => {
      timer.due += periodMs;
      this.timers.add(timer);
      task();
    };
    this.timers.add(timer);
    return { clear: () => this.timers.delete(timer) };
  }
  async sleep(): Promise<void> {}
  advance(ms: number): void {
    this.#now += ms;
    for (;;) {
      const next = [...this.timers].filter(({ due }) => due <= this.#now).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) return;
      this.timers.delete(next);
      next.task();
    }
  }
}

/** A client that reads as long as it is told to. */
class Peer implements ResponseSink {
  readonly received: string[] = [];
  reads = true;
  ended = false;
  #onDrain: () => void = () => {};
  #onClose: () => void = () => {};
  write(chunk: Uint8Array | string): boolean {
    this.received.push(String(Buffer.from(chunk)));
    return this.reads;
  }
  end(): void {
    this.ended = true;
    this.#onClose();
  }
  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }
  onClose(callback: () => void): void {
    this.#onClose = callback;
  }
  abort(): void {
    this.end();
  }
  goOn(): void {
    this.reads = true;
    this.drained();
  }
  /** What was written is read, and the next is too much at once again. */
  drained(): void {
    this.#onDrain();
  }
  goAway(): void {
    this.#onClose();
  }
  types(): string[] {
    const lines = this.received
      .join("")
      .split("\n")
      .filter((text) => text !== "");
    return lines.map((text) => {
      const { type, object } = JSON.parse(text);
      return `${type} ${object.metadata.name ?? ""}`.trimEnd();
    });
  }
}

let clock: ManualClock;
let stores: StoreRegistry;
let endpoint: ResourceEndpoint;
let timersBefore: number;

beforeEach(async () => {
  clock = new ManualClock();
  const kv = new MemoryStore({ clock });
  const resources = { stored: [configMaps], virtual: [] };
  stores = await createStores({ kv, clock, random: seededRandom(1), resources: resources as never, schemaFor, admission: [] });
  endpoint = resourceEndpoints({ stores }).get("/v1/configmaps") ?? expect.unreachable();
  timersBefore = clock.timers.size;
});
afterEach(() => stores.stop());

const user = { name: "u", uid: "", groups: [], extra: {} };

function context(url: string, signal: AbortSignal = new AbortController().signal): Parameters<typeof handleWatch>[1] {
  const [path = "", search = ""] = url.split("?");
  const query = new URLSearchParams(search);
  return { user, info: resolveRequestInfo("GET", path, query), userAgent: "", query, signal, warnings: [] };
}

async function watch(query: string, signal?: AbortSignal, peer: Peer = new Peer()): Promise<Peer> {
  const { body } = await handleWatch(endpoint, context(`/api/v1/configmaps?watch=1&${query}`, signal), "");
  if (isResponseStream(body)) body.start(peer);
  return peer;
}

async function create(name: string, size = 0): Promise<void> {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "ns" }, data: { text: "x".repeat(size) } };
  await endpoint.store.create(object, context("/api/v1/namespaces/ns/configmaps"));
}

const watchCount = (): number => endpoint.store.core.cache.watchCount;

function expectNothingLeft(): void {
  expect(watchCount()).toBe(0);
  expect(clock.timers.size).toBe(timersBefore);
}

test("a watch tells what is there and what comes", async () => {
  await create("a");
  const peer = await watch("resourceVersion=0");
  await create("b");
  expect(peer.types()).toEqual(["ADDED a", "ADDED b"]);
});

test("a watch ends in time, after a last bookmark, and leaves nothing", async () => {
  const peer = await watch("timeoutSeconds=10&allowWatchBookmarks=true");
  expect(watchCount()).toBe(1);
  clock.advance(8_000);
  expect(peer.types()).toEqual(["BOOKMARK"]);
  clock.advance(2_000);
  expect(peer.ended).toBe(true);
  expectNothingLeft();
});

test("a client that goes away leaves nothing", async () => {
  const peer = await watch("timeoutSeconds=10&allowWatchBookmarks=true");
  peer.goAway();
  expectNothingLeft();
  await create("a");
  expect(peer.received).toEqual([]);
});

test("a server that stops ends its watches", async () => {
  const stopping = new AbortController();
  const peer = await watch("", stopping.signal);
  stopping.abort();
  expect(peer.ended).toBe(true);
  expectNothingLeft();
});

test("what a slow client has not read waits for it", async () => {
  const peer = await watch("");
  peer.reads = false;
  for (const name of ["a", "b", "c"]) await create(name);
  expect(peer.types()).toEqual(["ADDED a"]);
  peer.goOn();
  expect(peer.types()).toEqual(["ADDED a", "ADDED b", "ADDED c"]);
});

test("a slow client gets what there is in parts, then the bookmark and what came meanwhile", async () => {
  const names = Array.from({ length: 200 }, (_, i) => `n${String(i).padStart(3, "0")}`);
  for (const name of names) await create(name);
  const peer = new Peer();
  peer.reads = false;
  await watch("resourceVersionMatch=NotOlderThan&sendInitialEvents=true&allowWatchBookmarks=true", undefined, peer);
  await create("later");
  const parts: number[] = [];
  for (let before = -1; before < peer.types().length; peer.drained()) {
    before = peer.types().length;
    parts.push(before);
  }
  expect(parts).toEqual([64, 128, 192, 200, 202]);
  expect(peer.types()).toEqual([...names.map((name) => `ADDED ${name}`), "BOOKMARK", "ADDED later"]);
});

test("a client that is too slow is given up", async () => {
  const peer = await watch("");
  peer.reads = false;
  const size = 1024 * 1024;
  for (let i = 0; i * size <= WATCH_BUFFER_BYTES_MAX + size && !peer.ended; i++) await create(`n${i}`, size);
  expect(peer.ended).toBe(true);
  expectNothingLeft();
});
