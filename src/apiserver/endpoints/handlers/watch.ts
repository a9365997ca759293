import { type Status, StatusError } from "#apimachinery/api-errors/status.ts";
import type { Timer } from "#base/clock.ts";
import type { FilteredEvent, WatchConsumer } from "../../cacher/watch-group.ts";
import type { RequestContext } from "../../request/request-info.ts";
import type { ApiResponse, ResponseSink } from "../response.ts";
import { eventEncoder } from "./event-encoder.ts";
import { type ParsedListOptions, parseListOptions } from "./list-options.ts";
import { CONTENT_TYPES, negotiateWatch } from "./negotiation.ts";
import { includeObject } from "./representation.ts";
import { hasProtobuf, type ResourceEndpoint, targetOf } from "./resource-handler.ts";
import { type Selection, selectionOf } from "./selection.ts";
import type { EventEncoder } from "./shared-encodings.ts";
import { beginWatch, type WatchOrigin, type WatchStart, watchOrigin } from "./watch-start.ts";

/** Shortest life of a watch whose client names none (upstream's `--min-request-timeout`); up to twice as long. */
const WATCH_TIMEOUT_MIN_MS: number = 1800 * 1000;
/** Longest time between bookmarks. */
const BOOKMARK_INTERVAL_MS: number = 60 * 1000;
/** A last bookmark comes this long before the end. */
const BOOKMARK_BEFORE_END_MS = 2000;
/** Bytes that a slow watcher may have waiting; then it is closed, and its client resumes where it was. */
export const WATCH_BUFFER_BYTES_MAX: number = 16 * 1024 * 1024;
/** Of what a watch begins with, so many events are encoded at a time, as fast as the client takes them. */
const FIRST_EVENTS_AT_ONCE = 64;

/** GET of a collection with `watch`. */
export async function handleWatch(endpoint: ResourceEndpoint, context: RequestContext, accept: string): Promise<ApiResponse> {
  const negotiated = negotiateWatch(accept, hasProtobuf(endpoint));
  const { namespace, name } = targetOf(endpoint, context.info);
  const options = parseListOptions(context.query, true);
  const selection = selectionOf(endpoint, namespace, name, options.labelSelector, options.fieldSelector);
  const include = includeObject(context.query);
  const origin = await watchOrigin(endpoint, selection.filter, options);
  const encoder = eventEncoder(endpoint, negotiated, include);
  return {
    status: 200,
    headers: { "content-type": negotiated.format === "json" ? CONTENT_TYPES.json : `${CONTENT_TYPES.protobuf};stream=watch` },
    body: { start: (sink) => new WatchStream(endpoint, context, selection, options, encoder, sink).start(origin) },
  };
}

/** One watch over HTTP: the lines go to the sink as fast as it takes them. */
class WatchStream implements WatchConsumer {
  readonly #endpoint: ResourceEndpoint;
  readonly #context: RequestContext;
  readonly #selection: Selection;
  readonly #options: ParsedListOptions;
  readonly #encoder: EventEncoder;
  readonly #sink: ResponseSink;
  #timers: Timer[] = [];
  #leave: () => void = () => {};
  #skipUntil = 0;
  /** What the watch begins with, as far as it is not sent; what happens meanwhile waits. */
  #first: readonly FilteredEvent[] | undefined;
  #firstSent = 0;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #blocked = false;
  #ended = false;

  constructor(
    endpoint: ResourceEndpoint,
    context: RequestContext,
    selection: Selection,
    options: ParsedListOptions,
    encoder: EventEncoder,
    sink: ResponseSink,
  ) {
    this.#endpoint = endpoint;
    this.#context = context;
    this.#selection = selection;
    this.#options = options;
    this.#encoder = encoder;
    this.#sink = sink;
  }

  start(origin: WatchOrigin): void {
    const onAbort = (): void => this.onEnd();
    this.#sink.onClose(() => {
      this.#context.signal.removeEventListener("abort", onAbort);
      this.#stop();
    });
    this.#sink.onDrain(() => this.#drain());
    this.#context.signal.addEventListener("abort", onAbort, { once: true });
    if (this.#context.signal.aborted) {
      this.onEnd();
      return;
    }
    try {
      beginWatch(this.#endpoint, this.#selection.filter, this.#options, origin, this, (start, leave) =>
        this.#begin(start, leave),
      );
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.onEnd(error.status);
    }
  }

  #begin(start: WatchStart, leave: () => void): void {
    if (this.#ended) {
      leave();
      return;
    }
    this.#skipUntil = start.skipUntil;
    this.#leave = leave;
    this.#first = start.events;
    this.#sendFirst();
    if (start.endBookmark) this.#write(this.#encoder.bookmark(start.revision, true));
    if (!this.#ended) this.#setTimers();
  }

  /** Objects may be many: neither are all encoded in one turn, nor do their bytes wait in memory for a slow client. */
  #sendFirst(): void {
    const first = this.#first ?? [];
    while (this.#firstSent < first.length && !this.#blocked && !this.#ended) {
      const next = first.slice(this.#firstSent, this.#firstSent + FIRST_EVENTS_AT_ONCE);
      this.#firstSent += next.length;
      this.#send(this.#encoder.encodeFirst(next));
    }
    if (this.#firstSent >= first.length) this.#first = undefined;
  }

  onEvents(events: readonly FilteredEvent[], revision: number): void {
    if (this.#ended) return;
    if (revision <= this.#skipUntil) return;
    const first = events[0];
    const known = first !== undefined && first.entry.revision <= this.#skipUntil;
    this.#write(this.#encoder.encode(known ? events.filter(({ entry }) => entry.revision > this.#skipUntil) : events));
  }

  onEnd(why?: Status): void {
    if (this.#ended) return;
    if (why !== undefined) this.#send(this.#encoder.failure(why));
    this.#stop();
    this.#sink.end();
  }

  #setTimers(): void {
    const { clock, random } = this.#endpoint.modules.stores.modules;
    const seconds = this.#options.timeoutSeconds ?? 0;
    // Whole seconds: Node keeps timers of one length together, and there may be thousands of watches.
    const life = seconds > 0 ? seconds * 1000 : 1000 * Math.floor((WATCH_TIMEOUT_MIN_MS / 1000) * (1 + random.float()));
    this.#timers.push(clock.setTimeout(() => this.onEnd(), life, { unref: true }));
    if (!this.#options.allowWatchBookmarks) return;
    const bookmark = (): void => {
      const revision = this.#endpoint.store.core.cache.told(this.#endpoint.store.core.modules.cache.revision);
      if (revision !== undefined) this.#write(this.#encoder.bookmark(revision, false));
    };
    this.#timers.push(clock.setInterval(bookmark, BOOKMARK_INTERVAL_MS, { unref: true }));
    if (life > BOOKMARK_BEFORE_END_MS) {
      this.#timers.push(clock.setTimeout(bookmark, life - BOOKMARK_BEFORE_END_MS, { unref: true }));
    }
  }

  #write(chunk: Uint8Array | undefined): void {
    if (this.#ended) return;
    if (chunk === undefined || (!this.#blocked && this.#first === undefined)) {
      this.#send(chunk);
      return;
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.byteLength;
    if (this.#waitingBytes > WATCH_BUFFER_BYTES_MAX) this.onEnd();
  }

  /** Ends the watch where there is nothing to send. */
  #send(chunk: Uint8Array | undefined): void {
    if (chunk === undefined) this.onEnd();
    else if (chunk.byteLength > 0) this.#blocked = !this.#sink.write(chunk);
  }

  #drain(): void {
    this.#blocked = false;
    if (this.#first !== undefined) this.#sendFirst();
    if (this.#first !== undefined || this.#blocked || this.#waiting.length === 0 || this.#ended) return;
    const chunk = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#send(chunk);
  }

  #stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#leave();
    for (const timer of this.#timers) timer.clear();
    this.#timers = [];
    this.#first = undefined;
    this.#waiting = [];
  }
}
