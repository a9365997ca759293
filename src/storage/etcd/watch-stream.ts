import type { Clock, Timer } from "#base/clock.ts";
import type { GrpcChannel, GrpcStream, StreamHandlers } from "#base/grpc/grpc-channel.ts";
import type { StorageError, WatchOptions } from "../kv.ts";
import type { EtcdClient } from "./etcd-client.ts";
import {
  ALL_KEYS,
  type ChangeMessage,
  emptyRequest,
  type KnownValue,
  prefixRange,
  statusVersion,
  type WatchAnswer,
  watchAnswer,
  watchCancel,
  watchCreate,
  watchProgress,
} from "./messages.ts";
import { cancellation, Watch } from "./watch.ts";

const WATCH = "/etcdserverpb.Watch/Watch";
const STATUS = "/etcdserverpb.Maintenance/Status";
const STATUS_TIMEOUT_MS = 3_000;
/** Before a lost stream is begun anew, and before progress is asked for again. */
const RETRY_MS = 100;

/** A stream that is open. */
interface Open {
  readonly channel: GrpcChannel;
  readonly stream: GrpcStream;
  /** Its member can be asked how far the watches have come. */
  readonly progress: boolean;
}

/**
 * All watches of a store, on one stream to one member. When that is lost they go on at another from where they were, without a
 * gap or a repetition.
 *
 * Those who read from what a watch delivers must know when it has reached a revision that changed nothing of theirs. Members that
 * can be asked are asked; from others every key is watched, so that each revision shows.
 */
export class WatchStream {
  readonly #client: EtcdClient;
  readonly #clock: Clock;
  readonly #answersProgress: (version: string) => boolean;
  readonly #known: KnownValue;
  /** Have changes that came with others in one piece, and are delivered with them. */
  readonly #arrived = new Set<Watch>();
  readonly #watches = new Map<number, Watch>();
  readonly #closed = new AbortController();
  #open: Open | undefined;
  #connecting = false;
  #lastId = 0;
  /** The newest revision that somebody waits for. */
  #wanted = 0;
  #asked: Timer | undefined;

  /** `known` is what the store itself writes just now. */
  constructor(options: {
    client: EtcdClient;
    clock: Clock;
    answersProgress: (version: string) => boolean;
    known: KnownValue;
  }) {
    this.#known = options.known;
    this.#client = options.client;
    this.#clock = options.clock;
    this.#answersProgress = options.answersProgress;
    this.#client.onLate = (channel) => this.#turnFrom(channel);
  }

  add(prefix: string, options: WatchOptions): void {
    if (options.signal.aborted) return;
    const watch = new Watch(++this.#lastId, prefix, options);
    this.#watches.set(watch.id, watch);
    options.signal.addEventListener("abort", () => this.#remove(watch), { once: true });
    if (this.#open !== undefined) this.#create(this.#open, watch);
    else void this.#connect();
  }

  /** Resolves when all watches that would show the key have begun: a write from then on reaches them. Undefined when they have. */
  begun(key: string): Promise<unknown> | undefined {
    const waits: Promise<void>[] = [];
    for (const watch of this.#watches.values()) {
      const begun = watch.next === undefined && key.startsWith(watch.prefix) ? watch.reached(0) : undefined;
      if (begun !== undefined) waits.push(begun);
    }
    return waits.length === 0 ? undefined : Promise.all(waits);
  }

  /** Resolves when the write of the key at `revision` has reached all watches that show it. Undefined when it has. */
  reached(key: string, revision: number): Promise<unknown> | undefined {
    const waits: Promise<void>[] = [];
    for (const watch of this.#watches.values()) {
      const arrival = key.startsWith(watch.prefix) ? watch.reached(revision) : undefined;
      if (arrival !== undefined) waits.push(arrival);
    }
    return waits.length > 1 ? Promise.all(waits) : waits[0];
  }

  /** Sees to it that the watches come to `revision`, though it may hold nothing for them. */
  expect(revision: number): void {
    this.#wanted = Math.max(this.#wanted, revision);
    this.#askProgress();
  }

  close(error: StorageError): void {
    this.#deliver();
    this.#closed.abort();
    this.#open?.stream.cancel();
    this.#open = undefined;
    this.#asked?.clear();
    const watches = [...this.#watches.values()];
    this.#watches.clear();
    for (const watch of watches) watch.end(error);
  }

  #create({ stream, progress }: Open, watch: Watch): void {
    watch.created = false;
    stream.send(watchCreate(watch.id, progress ? prefixRange(watch.prefix) : ALL_KEYS, watch.next ?? 0));
  }

  #remove(watch: Watch): void {
    if (!this.#watches.delete(watch.id)) return;
    this.#open?.stream.send(watchCancel(watch.id));
    watch.end();
  }

  async #connect(): Promise<void> {
    if (this.#connecting) return;
    this.#connecting = true;
    const { signal } = this.#closed;
    while (!signal.aborted && this.#watches.size > 0 && !(await this.#tryConnect())) {
      await this.#clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
    this.#connecting = false;
    // One that came as the last one went.
    if (this.#open === undefined && !signal.aborted && this.#watches.size > 0) void this.#connect();
  }

  async #tryConnect(): Promise<boolean> {
    const { channel } = this.#client;
    try {
      const version = statusVersion(await channel.unary(STATUS, emptyRequest(), STATUS_TIMEOUT_MS));
      let ended = false;
      let stream: GrpcStream | undefined;
      const handlers: StreamHandlers = {
        onMessage: (message) => this.#onAnswer(watchAnswer(message, this.#known)),
        onEnd: () => {
          ended = true;
          this.#client.leave(channel);
          if (stream !== undefined) this.#lost(stream);
        },
      };
      stream = await channel.stream(WATCH, handlers);
      if (this.#closed.signal.aborted) stream.cancel();
      if (ended || this.#closed.signal.aborted) return false;
      this.#open = { channel, stream, progress: this.#answersProgress(version) };
    } catch {
      this.#client.leave(channel);
      return false;
    }
    for (const watch of this.#watches.values()) this.#create(this.#open, watch);
    return true;
  }

  /** Goes on at the member that is called now: the late one may be cut off from the others, and take seconds to know it. */
  #turnFrom(late: GrpcChannel): void {
    const open = this.#open;
    if (open?.channel !== late || this.#client.channel === late) return;
    open.stream.cancel();
    this.#lost(open.stream);
  }

  #lost(stream: GrpcStream): void {
    if (this.#open?.stream !== stream) return;
    this.#open = undefined;
    this.#asked?.clear();
    this.#asked = undefined;
    void this.#connect();
  }

  #onAnswer(answer: WatchAnswer): void {
    const { watchId, created, canceled, events, revision } = answer;
    if (events.length === 0) this.#deliver();
    if (watchId === -1 && !canceled) this.#onProgress(revision);
    const watch = this.#watches.get(watchId) ?? (watchId === -1 ? this.#firstUnconfirmed() : undefined);
    if (watch === undefined) return;
    if (created && !canceled) {
      watch.begun(revision);
      this.#askProgress();
    }
    if (canceled) {
      this.#watches.delete(watch.id);
      watch.end(cancellation(answer));
    } else if (events.length > 0) this.#collect(watch, events);
  }

  /** Several writes within a moment come in one piece, a message each: their watchers shall be called once. */
  #collect(watch: Watch, events: readonly ChangeMessage[]): void {
    if (this.#arrived.size === 0) queueMicrotask(this.#deliver);
    this.#arrived.add(watch);
    watch.collect(events);
  }

  readonly #deliver = (): void => {
    if (this.#arrived.size === 0) return;
    const arrived = [...this.#arrived];
    this.#arrived.clear();
    for (const watch of arrived) watch.deliver();
  };

  /** A refusal bears no id; watches are confirmed in the order in which they were asked for. */
  #firstUnconfirmed(): Watch | undefined {
    return [...this.#watches.values()].find((watch) => !watch.created);
  }

  #onProgress(revision: number): void {
    this.#asked?.clear();
    this.#asked = undefined;
    for (const watch of [...this.#watches.values()]) if (watch.created) watch.advance(revision);
    this.#askProgress();
  }

  /** A member does not answer while one of the watches is behind: it is asked again. */
  #askProgress(): void {
    if (this.#open?.progress !== true || this.#asked !== undefined) return;
    if (![...this.#watches.values()].some((watch) => watch.created && (watch.next ?? 0) <= this.#wanted)) return;
    this.#asked = this.#clock.setTimeout(
      () => {
        this.#asked = undefined;
        this.#askProgress();
      },
      RETRY_MS,
      { unref: true },
    );
    this.#open.stream.send(watchProgress());
  }
}
