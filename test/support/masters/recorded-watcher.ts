import { type Status, StatusError } from "#apimachinery/api-errors/status.ts";
import { realClock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import type { WatchedEvent, WatchedSegment } from "../history/watched.ts";

/** Before a watch that has ended is begun again. */
const PAUSE_MS = 300;

/** An object that is watched. */
export interface Watched {
  readonly metadata: { readonly name?: string; readonly namespace?: string; readonly resourceVersion?: string };
}

/** What a watcher watches. */
export interface WatcherOptions<T extends Watched> {
  readonly name: string;
  readonly client: Client;
  readonly id: ResourceId;
  readonly namespace: string;
  readonly fieldSelector?: string;
  /** What an object holds. */
  readonly shown: (object: T) => string;
}

/** What was told without a gap, and when. */
export interface RecordedSegment extends WatchedSegment {
  /** When the list was answered from which it began; by the clock that others write into objects. */
  readonly listedAt: number;
  /** When each of its events was told. */
  readonly toldAt: readonly number[];
}

/** Lists and watches, goes on where a watch broke off, lists anew only when it is told that it comes too late; and writes all down. */
export class RecordedWatcher<T extends Watched> {
  readonly #options: WatcherOptions<T>;
  readonly #segments: (RecordedSegment & { readonly events: WatchedEvent[]; readonly toldAt: number[]; until: number })[] = [];
  /** How often a watch ended otherwise than by our wish, and how often by "too old". */
  readonly counts = { broken: 0, expired: 0 };
  constructor(options: WatcherOptions<T>) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get segments(): readonly RecordedSegment[] {
    return this.#segments;
  }

  /** Up to which everything was told. */
  get until(): number {
    return this.#segments.at(-1)?.until ?? 0;
  }

  async run(signal: AbortSignal): Promise<void> {
    let isFollowing = false;
    while (!signal.aborted) {
      try {
        if (!isFollowing) await this.#list();
        isFollowing = true;
        await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof StatusError && error.code === 410) {
          isFollowing = false;
          this.counts.expired++;
        } else this.counts.broken++;
      }
      await realClock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
  }

  async #list(): Promise<void> {
    const { name, client, id, namespace, fieldSelector, shown } = this.#options;
    const selector = fieldSelector === undefined ? {} : { fieldSelector };
    const { items, metadata } = await client.list<T>(id, namespace, selector);
    const start = new Map(
      items.map((object) => [keyOf(object), { revision: revisionOf(object), value: shown(object) }] as const),
    );
    const from = Number(metadata.resourceVersion);
    this.#segments.push({ watcher: name, start, from, events: [], until: from, listedAt: realClock.now(), toldAt: [] });
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, id, namespace, fieldSelector, shown } = this.#options;
    const segment = this.#segments.at(-1);
    if (segment === undefined) return;
    const options = {
      resourceVersion: String(segment.until),
      allowWatchBookmarks: true,
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      signal,
    };
    for await (const batch of client.watch<T>(id, namespace, options)) {
      for (const { type, object } of batch) {
        if (type === "ERROR") throw new StatusError(object as unknown as Status);
        const revision = revisionOf(object);
        if (type !== "BOOKMARK") {
          segment.events.push({ type, key: keyOf(object), revision, value: shown(object) });
          segment.toldAt.push(realClock.now());
        }
        segment.until = Math.max(segment.until, revision);
      }
    }
  }
}

function keyOf({ metadata }: Watched): string {
  return metadata.name ?? "";
}

function revisionOf({ metadata }: Watched): number {
  return Number(metadata.resourceVersion);
}
