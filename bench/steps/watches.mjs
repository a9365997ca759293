import { watch } from "../http2-client.mjs";
import { configMap } from "../objects.mjs";
import { usage } from "../server.mjs";
import { expect, median, rate, sleep, until } from "./measure.mjs";

const PATIENCE_MS = 60_000;
/** Streams that are opened at one time. */
const AT_ONCE = 1_000;
const REST_MS = 3_000;
const WRITERS = 64;

/** Watches of the server, all gone when `close` is called; `seen` is how many events came. */
class Watches {
  seen = 0;
  #context;
  #streams = [];

  constructor(context) {
    this.#context = context;
  }

  /** `query(i)` is that of the i-th. */
  async open(count, sessions, query) {
    const opened = await this.#context.sessions(sessions);
    const path = this.#context.path("configmaps");
    const onLines = (lines) => {
      this.seen += lines;
    };
    const begin = (i) => watch(opened[i % sessions], `${path}?watch=1${query(i)}`, onLines, this.#context.server);
    for (let at = 0; at < count; at += AT_ONCE) {
      const part = Array.from({ length: Math.min(AT_ONCE, count - at) }, (_, i) => begin(at + i));
      this.#streams.push(...(await Promise.all(part)));
    }
  }

  close() {
    for (const stream of this.#streams) stream.close();
  }
}

/** Events that reach so many watchers while 64 clients create objects as fast as they can. */
export async function fanOut(context, { name, watchers, sessions = 10, events }) {
  const { server } = context;
  const watches = new Watches(context);
  await watches.open(watchers, sessions, () => `&labelSelector=${name.replaceAll(/\W/g, "-")}`);
  const writers = await context.clients(WRITERS);
  const labels = { [name.replaceAll(/\W/g, "-")]: "1" };
  const before = usage(server).cpuMs;
  const started = performance.now();
  await rate(server, writers, events, async (client) =>
    expect(201, await client.request("POST", context.path("configmaps"), JSON.stringify(configMap(context.newName(), labels)))),
  );
  await until(`${watchers * events} events`, () => watches.seen >= watchers * events, PATIENCE_MS);
  if (watches.seen !== watchers * events) throw new Error(`${watches.seen} events arrived, not ${watchers * events}`);
  const seconds = (performance.now() - started) / 1000;
  const cpuMicros = ((usage(server).cpuMs - before) * 1000) / watches.seen;
  context.report(
    name,
    Math.round(watches.seen / seconds),
    "/s",
    Number.isNaN(cpuMicros) ? {} : { note: `${cpuMicros.toFixed(2)} µs CPU/event` },
  );
  watches.close();
}

/** The middle of the times from a write until so many watchers have its event. */
export async function watchLatency(context, { name, watchers, sessions = 10, events = 20 }) {
  const watches = new Watches(context);
  const label = name.replaceAll(/\W/g, "-");
  await watches.open(watchers, Math.min(sessions, watchers), () => `&labelSelector=${label}`);
  context.report(name, await latency(context, watches, watchers, events, { [label]: "1" }), "ms", { less: true });
  watches.close();
}

async function latency(context, watches, watchers, events, labels) {
  const [client] = await context.clients(1);
  const times = [];
  for (let i = 0; i < events; i++) {
    const expected = watches.seen + watchers;
    const body = JSON.stringify(configMap(context.newName(), labels));
    const written = performance.now();
    expect(201, await client.request("POST", context.path("configmaps"), body));
    while (watches.seen < expected) {
      if (performance.now() - written > PATIENCE_MS) throw new Error(`${watches.seen} of ${expected} events arrived`);
      await sleep(0);
    }
    times.push(performance.now() - written);
  }
  return Number(median(times).toFixed(1));
}

/**
 * Watches that stay open, half of everything and half of one object each, as kubelets watch: how long they take to open, what
 * each holds in memory, what they cost at rest, and how long after a write the last watcher has the event.
 */
export async function openWatches(context, { count, sessions = 100, events = 20 }) {
  const { server } = context;
  await sleep(1_000);
  const before = usage(server);
  const watches = new Watches(context);
  const one = (i) => (i % 2 === 0 ? "" : `&fieldSelector=metadata.name%3Do-${i}`);
  const started = performance.now();
  // From now on, so that nothing comes of what is there.
  const { metadata } = await lists(context);
  await watches.open(count, sessions, (i) => `&allowWatchBookmarks=true&resourceVersion=${metadata.resourceVersion}${one(i)}`);
  const text = count.toLocaleString("en");
  context.report(`${text} watches opened`, Math.round(performance.now() - started), "ms", {
    less: true,
    cpuMicros: ((usage(server).cpuMs - before.cpuMs) * 1000) / count,
  });
  await sleep(REST_MS);
  const open = usage(server);
  const bytes = open.rssBytes - before.rssBytes;
  context.report(`memory of ${text} watches`, Math.round(bytes / 1e6), "MB", {
    less: true,
    note: `${(bytes / 1e3 / count).toFixed(1)} KB each`,
  });
  await sleep(REST_MS);
  const busy = (100 * (usage(server).cpuMs - open.cpuMs)) / REST_MS;
  context.report(`processor at rest, ${text} watches`, Number(busy.toFixed(2)), "%", { less: true });
  const toLast = await latency(context, watches, count / 2, events);
  context.report(`write to its events at half of ${text}`, toLast, "ms", { less: true });
  watches.close();
}

async function lists(context) {
  const [client] = await context.clients(1);
  const answer = await client.request("GET", `${context.path("configmaps")}?limit=1`, undefined, { keep: true });
  return JSON.parse(expect(200, answer).text());
}

/** How long so many informers at once take to have everything by a watch that begins with it (WatchList). */
export async function watchList(context, { name, plural = "pods", informers }) {
  const sessions = await context.sessions(Math.min(informers, 10));
  const query = "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  const before = usage(context.server).cpuMs;
  const started = performance.now();
  let events = 0;
  await Promise.all(Array.from({ length: informers }, (_, i) => synced(sessions[i % sessions.length])));
  context.report(name, Number((performance.now() - started).toFixed(1)), "ms", {
    less: true,
    cpuMicros: ((usage(context.server).cpuMs - before) * 1000) / informers,
    note: `${events} events`,
  });

  async function synced(session) {
    let end = Buffer.alloc(0);
    let done;
    const arrived = new Promise((resolve) => {
      done = resolve;
    });
    const stream = await watch(
      session,
      `${context.path(plural)}${query}`,
      (lines, chunk) => {
        events += lines;
        end = Buffer.concat([end, chunk]).subarray(-2_000);
        if (end.includes('"k8s.io/initial-events-end"')) done();
      },
      context.server,
    );
    await arrived;
    stream.close();
  }
}
