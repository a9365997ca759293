import type { Status } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { Timer } from "#base/clock.ts";
import type { WatchEvent } from "#client/client.ts";
import type { FilteredEvent, WatchConsumer } from "../../cacher/watch-group.ts";
import { toServedForm } from "../../registry/store/served-form.ts";
import type { ParsedListOptions } from "../handlers/list-options.ts";
import type { ResourceEndpoint } from "../handlers/resource-handler.ts";
import type { Selection } from "../handlers/selection.ts";
import { beginWatch, type WatchOrigin, type WatchStart } from "../handlers/watch-start.ts";

const NOW: Promise<void> = Promise.resolve();

/** Events that may wait for a slow reader; then the watch ends and its reader resumes where it was. */
export const WATCH_BUFFER_EVENTS_MAX = 100_000;

/** One watch without a socket: events carry the cache's own objects. What happens between two reads comes as one batch. */
export class InProcessWatch implements WatchConsumer, AsyncIterableIterator<readonly WatchEvent<ApiObject>[]> {
  readonly #endpoint: ResourceEndpoint;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  #waiting: WatchEvent<ApiObject>[] = [];
  #reader: ((result: IteratorResult<readonly WatchEvent<ApiObject>[]>) => void) | undefined;
  #flushing = false;
  #ended = false;
  #skipUntil = 0;
  #leave: () => void = () => {};
  #timer: Timer | undefined;

  constructor(endpoint: ResourceEndpoint, signal: AbortSignal) {
    this.#endpoint = endpoint;
    this.#signal = signal;
    this.#onAbort = (): void => this.onEnd();
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Begins to deliver. Throws 410 when changes since the given revision are forgotten. */
  start(selection: Selection, options: ParsedListOptions, origin: WatchOrigin): void {
    if (this.#signal.aborted) {
      this.onEnd();
      return;
    }
    beginWatch(this.#endpoint, selection.filter, options, origin, this, (start, leave) => this.#begin(start, leave, options));
  }

  #begin(start: WatchStart, leave: () => void, options: ParsedListOptions): void {
    if (this.#ended) {
      leave();
      return;
    }
    this.#skipUntil = start.skipUntil;
    this.#leave = leave;
    this.#push(start.events);
    if (start.endBookmark) this.#bookmark(start.revision);
    const seconds = options.timeoutSeconds ?? 0;
    if (seconds > 0) {
      const { clock } = this.#endpoint.modules.stores.modules;
      this.#timer = clock.setTimeout(() => this.onEnd(), seconds * 1000, { unref: true });
    }
  }

  onEvents(events: readonly FilteredEvent[], revision: number): void {
    if (this.#ended || revision <= this.#skipUntil) return;
    const [first] = events;
    const known = first !== undefined && first.entry.revision <= this.#skipUntil;
    this.#push(known ? events.filter(({ entry }) => entry.revision > this.#skipUntil) : events);
  }

  /** Tells the reader that it cannot go on from where it was. */
  fail(status: Status): void {
    this.onEnd(status);
  }

  onEnd(why?: Status): void {
    if (this.#ended) return;
    if (why !== undefined) this.#waiting.push({ type: "ERROR", object: why as unknown as ApiObject });
    this.#ended = true;
    this.#leave();
    this.#timer?.clear();
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#flush();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<readonly WatchEvent<ApiObject>[]>> {
    if (this.#waiting.length > 0 || this.#ended) return Promise.resolve(this.#result());
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  /** What is there for a reader: asked when something is, or when there will be nothing more. */
  #result(): IteratorResult<readonly WatchEvent<ApiObject>[]> {
    // A reader that gave up has ended the watch, and wants none of it.
    if (this.#waiting.length === 0 || (this.#ended && this.#signal.aborted)) return { done: true, value: undefined };
    const value = this.#waiting;
    this.#waiting = [];
    return { done: false, value };
  }

  return(): Promise<IteratorResult<readonly WatchEvent<ApiObject>[]>> {
    this.#waiting = [];
    this.onEnd();
    return Promise.resolve({ done: true, value: undefined });
  }

  #push(events: readonly FilteredEvent[]): void {
    const { form } = this.#endpoint;
    for (const { type, entry } of events) this.#waiting.push({ type, object: toServedForm(form, entry.object) });
    if (this.#waiting.length > WATCH_BUFFER_EVENTS_MAX) {
      this.#waiting = [];
      this.onEnd();
      return;
    }
    this.#flushSoon();
  }

  #bookmark(revision: number): void {
    const { kind, apiVersion } = this.#endpoint.form;
    const annotations = { "k8s.io/initial-events-end": "true" };
    const object: ApiObject = { kind, apiVersion, metadata: { resourceVersion: String(revision), annotations } };
    this.#waiting.push({ type: "BOOKMARK", object });
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushing || this.#reader === undefined) return;
    this.#flushing = true;
    // Node's `queueMicrotask` makes a resource of each task, for who follows what comes of what.
    void NOW.then(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#flushing = false;
    this.#flush();
  };

  #flush(): void {
    const reader = this.#reader;
    if (reader === undefined || (this.#waiting.length === 0 && !this.#ended)) return;
    this.#reader = undefined;
    reader(this.#result());
  }
}
