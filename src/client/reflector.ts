import { type Status, StatusError } from "#apimachinery/api-errors/status.ts";
import type { Clock } from "#base/clock.ts";
import { noteDefect } from "#base/defect.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceId, WatchEvent } from "./client.ts";
import { metaOf } from "./object-meta.ts";

/** Where a reflector puts what it sees. Calls come one after another, in the server's order. */
export interface ReflectorSink<T extends object> {
  /** The complete set at one revision. The next call comes when the promise, where there is one, resolves. */
  replace(items: readonly T[], resourceVersion: string): Promise<void> | void;
  upsert(object: T): void;
  remove(object: T): void;
  /** Nothing changed up to this revision. */
  bookmark?(resourceVersion: string): void;
}

/** Options of {@link runReflector}. */
export interface ReflectorOptions<T extends object> {
  readonly client: Client;
  readonly id: ResourceId;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly sink: ReflectorSink<T>;
  readonly signal: AbortSignal;
  readonly onError?: (error: unknown) => void;
}

const BACKOFF_MIN_MS = 200;
const BACKOFF_MAX_MS = 30_000;
/** A run of this length without failure starts the backoff anew. */
const BACKOFF_RESET_MS = 120_000;
/** Watches end by themselves after 5 to 10 minutes, so that load spreads over servers. */
const WATCH_TIMEOUT_MIN_SECONDS = 300;

/** Mirrors one resource into a sink until the signal is aborted; survives every failure. Never rejects. */
export async function runReflector<T extends object>(options: ReflectorOptions<T>): Promise<void> {
  const { clock, random, signal } = options;
  let resourceVersion: string | undefined;
  let delayMs = BACKOFF_MIN_MS;
  let lastFailureMs = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    try {
      resourceVersion ??= await initialSet(options);
      const startedMs = clock.elapsed();
      resourceVersion = await follow(options, resourceVersion);
      // A server that ends watches at once must not be asked in a tight loop.
      if (clock.elapsed() - startedMs < BACKOFF_MIN_MS && !signal.aborted) await clock.sleep(BACKOFF_MIN_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof WatchBroken) resourceVersion = error.resourceVersion;
      if (isExpired(error)) resourceVersion = undefined;
      else options.onError?.(error);
      noteDefect("an informer", error);
      const now = clock.elapsed();
      if (now - lastFailureMs > BACKOFF_RESET_MS) delayMs = BACKOFF_MIN_MS;
      lastFailureMs = now;
      try {
        await clock.sleep(delayMs * (1 + random.float()), signal);
      } catch {
        return;
      }
      delayMs = Math.min(delayMs * 2, BACKOFF_MAX_MS);
    }
  }
}

/** A watch failed after events had come; carries how far it got. */
class WatchBroken extends Error {
  readonly resourceVersion: string;
  constructor(resourceVersion: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.resourceVersion = resourceVersion;
  }
}

async function initialSet<T extends object>(options: ReflectorOptions<T>): Promise<string> {
  // Of the newest version, as upstream's initial events are: what any state may answer may lack what the leader before has just done.
  const list = await options.client.list<T>(options.id, options.namespace ?? "", selectors(options));
  await options.sink.replace(list.items, list.metadata.resourceVersion);
  return list.metadata.resourceVersion;
}

/** Watches from a revision until the server ends it; returns how far it got. */
async function follow<T extends object>(options: ReflectorOptions<T>, from: string): Promise<string> {
  const { sink } = options;
  let resourceVersion = from;
  try {
    const watch = options.client.watch<T>(options.id, options.namespace ?? "", {
      ...selectors(options),
      resourceVersion: from,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.floor(WATCH_TIMEOUT_MIN_SECONDS * (1 + options.random.float())),
      signal: options.signal,
    });
    for await (const batch of watch) {
      for (const event of batch) {
        failOnError(event);
        if (event.type === "ADDED" || event.type === "MODIFIED") sink.upsert(event.object);
        else if (event.type === "DELETED") sink.remove(event.object);
        else sink.bookmark?.(metaOf(event.object).resourceVersion ?? "");
        resourceVersion = metaOf(event.object).resourceVersion ?? resourceVersion;
      }
    }
    return resourceVersion;
  } catch (error) {
    if (isExpired(error)) throw error;
    noteDefect("an informer", error);
    throw new WatchBroken(resourceVersion, error);
  }
}

function failOnError(event: WatchEvent<object>): void {
  if (event.type === "ERROR") throw new StatusError(event.object as Status);
}

function isExpired(error: unknown): boolean {
  return error instanceof StatusError && error.code === 410;
}

function selectors(options: { labelSelector?: string; fieldSelector?: string }): {
  labelSelector?: string;
  fieldSelector?: string;
} {
  return {
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  };
}
