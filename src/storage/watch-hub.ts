import type { StorageError, WatchEvent, WatchOptions } from "./kv.ts";

interface Watcher {
  readonly prefix: string;
  readonly options: WatchOptions;
}

/** The events of consecutive revisions, committed together. */
export interface EventBatch {
  readonly events: readonly WatchEvent[];
  /** The newest revision of the batch. */
  readonly revision: number;
}

/**
 * Hands committed events to the watches that asked for them. An event costs only the watches whose prefix it has:
 * they are found by the key's leading path segments, or by length for prefixes that do not end at a segment.
 */
export class WatchHub {
  readonly #byPrefix = new Map<string, Set<Watcher>>();
  /** How many distinct prefixes that do not end in `/` have each length. */
  readonly #oddLengths = new Map<number, number>();
  readonly #queue: EventBatch[] = [];
  #dispatching = false;
  #ended: StorageError | undefined;

  /**
   * Delivers all later batches to the watch, until its signal is aborted. `replay` hands over what was before; batches
   * that come while it does so wait.
   */
  start(prefix: string, options: WatchOptions, replay: () => void): void {
    if (options.signal.aborted) return;
    if (this.#ended !== undefined) {
      options.onError(this.#ended);
      return;
    }
    this.#add(prefix, options);
    this.#exclusively(replay);
  }

  /** Delivers at once. A batch that arrives while another is being delivered waits for its turn. */
  dispatch(batch: EventBatch): void {
    this.#queue.push(batch);
    if (!this.#dispatching) this.#exclusively(() => undefined);
  }

  #exclusively(task: () => void): void {
    this.#dispatching = true;
    try {
      task();
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#deliver(next);
    } finally {
      this.#dispatching = false;
    }
  }

  #add(prefix: string, options: WatchOptions): void {
    const watcher: Watcher = { prefix, options };
    let watchers = this.#byPrefix.get(prefix);
    if (watchers === undefined) {
      watchers = new Set();
      this.#byPrefix.set(prefix, watchers);
      if (!prefix.endsWith("/")) this.#oddLengths.set(prefix.length, (this.#oddLengths.get(prefix.length) ?? 0) + 1);
    }
    watchers.add(watcher);
    options.signal.addEventListener("abort", () => this.#remove(watcher), { once: true });
  }

  /** Ends every watch, now and to come, with the error. */
  end(error: StorageError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    const all = [...this.#byPrefix.values()].flatMap((watchers) => [...watchers]);
    this.#byPrefix.clear();
    this.#oddLengths.clear();
    for (const watcher of all) if (!watcher.options.signal.aborted) watcher.options.onError(error);
  }

  #deliver(batch: EventBatch): void {
    const [only] = batch.events;
    if (batch.events.length === 1 && only !== undefined) {
      this.#match(only.key, (watchers) => call(watchers, batch.events, batch.revision));
      return;
    }
    const shares = new Map<ReadonlySet<Watcher>, WatchEvent[]>();
    for (const event of batch.events) {
      this.#match(event.key, (watchers) => {
        const share = shares.get(watchers);
        if (share === undefined) shares.set(watchers, [event]);
        else share.push(event);
      });
    }
    for (const [watchers, events] of shares) call(watchers, events, batch.revision);
  }

  #match(key: string, found: (watchers: ReadonlySet<Watcher>) => void): void {
    for (let at = key.indexOf("/"); at >= 0; at = key.indexOf("/", at + 1)) {
      const watchers = this.#byPrefix.get(key.slice(0, at + 1));
      if (watchers !== undefined) found(watchers);
    }
    for (const length of this.#oddLengths.keys()) {
      if (length > key.length) continue;
      const prefix = key.slice(0, length);
      const watchers = prefix.endsWith("/") ? undefined : this.#byPrefix.get(prefix);
      if (watchers !== undefined) found(watchers);
    }
  }

  #remove(watcher: Watcher): void {
    const watchers = this.#byPrefix.get(watcher.prefix);
    if (!watchers?.delete(watcher) || watchers.size > 0) return;
    this.#byPrefix.delete(watcher.prefix);
    if (watcher.prefix.endsWith("/")) return;
    const left = (this.#oddLengths.get(watcher.prefix.length) ?? 1) - 1;
    if (left === 0) this.#oddLengths.delete(watcher.prefix.length);
    else this.#oddLengths.set(watcher.prefix.length, left);
  }
}

function call(watchers: ReadonlySet<Watcher>, events: readonly WatchEvent[], revision: number): void {
  for (const { options } of [...watchers]) {
    if (options.signal.aborted) continue;
    try {
      options.onEvents(events, revision);
    } catch (error) {
      // One broken watcher must not hold up the others; the failure still surfaces as an uncaught exception.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
