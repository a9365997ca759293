import { expect } from "vitest";
import type { ConfigMap } from "#api/generated/core/v1.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { realClock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client, ListOptions, WatchEvent } from "#client/client.ts";
import { type History, shown, shownEvent, type Wanted } from "./watch-history.ts";

const CONFIG_MAPS = { group: "", version: "v1", resource: "configmaps" };
/** Namespaces that are written to. */
export const NAMESPACES = ["red-team", "blue-team"] as const;
const NAMES = ["n0", "n1", "n2", "n3", "n4", "n5"] as const;
const END_OF_INITIAL = "k8s.io/initial-events-end";

/** What the clients of one run share. */
export interface Run {
  readonly history: History;
  readonly random: Random;
  /** Whoever writes and reads goes on until then. */
  readonly done: () => boolean;
  /** The newest revision that a writer was told. */
  acknowledged: number;
  /** How much was looked at. */
  readonly counts: Record<"lists" | "pages" | "watches" | "events" | "bookmarks" | "expired" | "ended", number>;
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.int(values.length)] as T;
}

/** Creates, changes and deletes, whatever others do meanwhile. */
export async function writer(client: Client, run: Run, id: number): Promise<void> {
  const { random } = run;
  for (let count = 0; !run.done(); count++) {
    const namespace = pick(random, NAMESPACES);
    const name = pick(random, NAMES);
    const color = pick(random, ["red", "blue", "green"]);
    const object: ConfigMap = { metadata: { name, labels: { color } }, data: { v: `${id}.${count}` } };
    try {
      const written = await write(client, run, namespace, name, object);
      run.acknowledged = Math.max(run.acknowledged, Number(written?.metadata?.resourceVersion ?? 0));
    } catch (error) {
      if (!(error instanceof StatusError) || ![404, 409].includes(error.code)) throw error;
    }
    if (random.int(4) === 0) await realClock.sleep(random.int(5));
  }
}

async function write(
  client: Client,
  { random }: Run,
  namespace: string,
  name: string,
  object: ConfigMap,
): Promise<ConfigMap | undefined> {
  switch (random.int(5)) {
    case 0:
      await client.delete(CONFIG_MAPS, namespace, name);
      return undefined;
    case 1:
    case 2:
      return client.create<ConfigMap>(CONFIG_MAPS, namespace, object);
    case 3:
      return client.update<ConfigMap>(CONFIG_MAPS, namespace, name, object);
    default:
      return client.patch<ConfigMap>(CONFIG_MAPS, namespace, name, "application/merge-patch+json", {
        metadata: { labels: object.metadata?.labels },
        data: object.data,
      });
  }
}

/** Lists and watches again and again, each time something else, and compares with what the store tells. */
export async function reader(client: Client, run: Run): Promise<void> {
  const { random } = run;
  while (!run.done()) {
    const wanted: Wanted = {
      namespace: pick(random, ["", ...NAMESPACES]),
      labelSelector: pick(random, ["", "", "color=red", "color!=red"]),
      fieldSelector: pick(random, ["", "", "", "metadata.name=n3"]),
    };
    try {
      if (random.int(4) === 0) await watchList(client, run, wanted);
      else {
        const from = random.int(5) === 0 ? pick(random, run.history.changes)?.revision : await list(client, run, wanted);
        if (from !== undefined) await watch(client, run, wanted, from);
      }
    } catch (error) {
      if (isGone(error)) run.counts.expired++;
      else if (isDown(error, run)) run.counts.ended++;
      else throw error;
    }
  }
}

/** A list in pages, of now or of then. Resolves with its revision. */
async function list(client: Client, run: Run, wanted: Wanted): Promise<number> {
  const { random, history, counts } = run;
  const acknowledged = run.acknowledged;
  const past = pick(random, history.changes)?.revision;
  const version: ListOptions =
    past === undefined
      ? {}
      : pick<ListOptions>(random, [
          {},
          {},
          { resourceVersion: "0" },
          { resourceVersion: String(past) },
          { resourceVersion: String(past), resourceVersionMatch: "NotOlderThan" },
          { resourceVersion: String(past), resourceVersionMatch: "Exact" },
        ]);
  const limit = pick(random, [0, 0, 1, 2, 5]);
  const selectors = selectorsOf(wanted);
  let page = await client.list<ConfigMap>(CONFIG_MAPS, wanted.namespace, {
    ...version,
    ...selectors,
    ...(limit > 0 ? { limit } : {}),
  });
  const revision = Number(page.metadata.resourceVersion);
  const items = [...page.items];
  const context = JSON.stringify({ wanted, version, limit, revision });
  if (version.resourceVersion === undefined) expect(revision, context).toBeGreaterThanOrEqual(acknowledged);
  else if (version.resourceVersionMatch === "Exact") expect(revision, context).toBe(past);
  else if (version.resourceVersion !== "0") expect(revision, context).toBeGreaterThanOrEqual(past ?? 0);
  const remaining: [number, number][] = [];
  while (page.metadata.continue !== undefined && page.metadata.continue !== "") {
    if (page.metadata.remainingItemCount !== undefined) remaining.push([items.length, page.metadata.remainingItemCount]);
    if (random.int(3) === 0) await realClock.sleep(random.int(10));
    page = await client.list<ConfigMap>(CONFIG_MAPS, wanted.namespace, { ...selectors, limit, continue: page.metadata.continue });
    expect(page.metadata.resourceVersion, context).toBe(String(revision));
    items.push(...page.items);
    counts.pages++;
  }
  await told(run, revision);
  expect(items.map(shown), context).toEqual(history.stateAt(revision, wanted));
  for (const [before, rest] of remaining) expect(before + rest, context).toBe(items.length);
  counts.lists++;
  return revision;
}

/** A watch for some events, or for some time. */
async function watch(client: Client, run: Run, wanted: Wanted, from: number): Promise<void> {
  const { random } = run;
  const seen = new Seen(run, wanted, from);
  const controller = new AbortController();
  const most = 1 + random.int(40);
  const slow = random.int(4) === 0;
  const options = {
    ...selectorsOf(wanted),
    resourceVersion: String(from),
    allowWatchBookmarks: random.int(2) === 0,
    signal: controller.signal,
  };
  const timer = realClock.setTimeout(() => controller.abort(), 20 + random.int(400));
  try {
    for await (const events of client.watch<ConfigMap>(CONFIG_MAPS, wanted.namespace, options)) {
      seen.take(events);
      if (seen.count >= most) break;
      if (slow) await realClock.sleep(random.int(30));
    }
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  } finally {
    timer.clear();
    controller.abort();
  }
  await seen.compare();
}

/** A watch that begins with what is there. */
async function watchList(client: Client, run: Run, wanted: Wanted): Promise<void> {
  const { random } = run;
  const controller = new AbortController();
  const timer = realClock.setTimeout(() => controller.abort(), 100 + random.int(400));
  const initial: string[] = [];
  let seen: Seen | undefined;
  const options = {
    ...selectorsOf(wanted),
    sendInitialEvents: true,
    resourceVersionMatch: "NotOlderThan",
    allowWatchBookmarks: true,
  };
  try {
    for await (const events of client.watch<ConfigMap>(CONFIG_MAPS, wanted.namespace, {
      ...options,
      signal: controller.signal,
    })) {
      let rest = events;
      if (seen === undefined) {
        const end = events.findIndex(({ object }) => object.metadata?.annotations?.[END_OF_INITIAL] === "true");
        const before = end < 0 ? events : events.slice(0, end);
        expect(before.every(({ type }) => type === "ADDED")).toBe(true);
        initial.push(...before.map(({ object }) => shown(object)));
        if (end < 0) continue;
        run.counts.bookmarks++;
        seen = new Seen(run, wanted, Number(events[end]?.object.metadata?.resourceVersion));
        rest = events.slice(end + 1);
      }
      seen.take(rest);
      if (seen.count >= 20) break;
    }
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  } finally {
    timer.clear();
    controller.abort();
  }
  if (seen === undefined) return;
  await told(run, seen.from);
  expect(initial.sort(), JSON.stringify(wanted)).toEqual(run.history.stateAt(seen.from, wanted).sort());
  await seen.compare();
}

/** What a watch has told so far. */
export class Seen {
  readonly from: number;
  readonly #run: Run;
  readonly #wanted: Wanted;
  readonly #events: string[] = [];
  #last: number;

  constructor(run: Run, wanted: Wanted, from: number) {
    this.from = from;
    this.#run = run;
    this.#wanted = wanted;
    this.#last = from;
  }

  get count(): number {
    return this.#events.length;
  }

  /** The newest revision that was told, by an event or a bookmark. */
  get revision(): number {
    return this.#last;
  }

  take(events: readonly WatchEvent<ConfigMap>[]): void {
    const { counts } = this.#run;
    for (const event of events) {
      if (event.type === "ERROR") {
        const { code = 500, message = "" } = event.object as { code?: number; message?: string };
        throw Object.assign(new Error(message), { code });
      }
      const revision = Number(event.object.metadata?.resourceVersion);
      if (event.type === "BOOKMARK") {
        expect(revision).toBeGreaterThanOrEqual(this.#last);
        counts.bookmarks++;
      } else {
        expect(revision).toBeGreaterThan(this.#last);
        this.#events.push(shownEvent(event));
        counts.events++;
      }
      this.#last = revision;
    }
  }

  /** Nothing was left out up to the last that was told, nothing came twice, nothing in another order. */
  async compare(): Promise<void> {
    await told(this.#run, this.#last);
    const want = this.#run.history.eventsBetween(this.from, this.#last, this.#wanted);
    expect(this.#events, JSON.stringify({ wanted: this.#wanted, from: this.from })).toEqual(want);
    this.#run.counts.watches++;
  }
}

function selectorsOf({ labelSelector, fieldSelector }: Wanted): ListOptions {
  return { ...(labelSelector === "" ? {} : { labelSelector }), ...(fieldSelector === "" ? {} : { fieldSelector }) };
}

/** The store tells its history a little later to some than to others. */
async function told({ history }: Run, revision: number): Promise<void> {
  await expect.poll(() => history.revision, { interval: 2, timeout: 10_000 }).toBeGreaterThanOrEqual(revision);
}

function isGone(error: unknown): boolean {
  return (error as { code?: unknown }).code === 410;
}

/** While a server goes down it refuses, or does not answer. */
function isDown(error: unknown, { done }: Run): boolean {
  const { code, name } = error as { code?: unknown; name?: string };
  return done() && (code === 503 || code === 429 || typeof code === "string" || name === "AbortError");
}
