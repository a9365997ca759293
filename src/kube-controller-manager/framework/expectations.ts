import type { Clock } from "#base/clock.ts";
import type { SharedInformer } from "#client/informer.ts";
import type { Owned } from "./ownership.ts";

/** What shows whether a write has arrived: an informer. */
export type Mirror<T extends Owned = Owned> = Pick<SharedInformer<T>, "revision" | "lister">;

interface Expected {
  /** The mirror must have reached this revision. */
  revision: number;
  /** Objects whose deletion was asked for, by uid. */
  readonly deletions: Map<string, Owned>;
  sinceMs: number;
}

/** An expectation that is never met is dropped after this long: a lost event must not stop a controller. */
const EXPECTATION_MAX_MS = 300_000;

/**
 * Remembers what a controller wrote until its mirror shows it, so that it does not create or delete twice. After
 * upstream's `UIDTrackingControllerExpectations`, but counting on revisions instead of events.
 */
export class Expectations {
  readonly #clock: Clock;
  readonly #byKey = new Map<string, Expected>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A write answered with this `resourceVersion`. */
  wrote(key: string, resourceVersion: string | undefined): void {
    const expected = this.#of(key);
    expected.revision = Math.max(expected.revision, Number(resourceVersion ?? 0));
  }

  /** The deletion of this object was asked for. */
  deleting(key: string, object: Owned): void {
    this.#of(key).deletions.set(object.metadata.uid ?? "", object);
  }

  /** That deletion failed. */
  notDeleting(key: string, { metadata }: Owned): void {
    this.#byKey.get(key)?.deletions.delete(metadata.uid ?? "");
  }

  /** Whether the mirror shows everything. Call for every look at the key: it also forgets. */
  satisfied(key: string, mirror: Mirror): boolean {
    const expected = this.#byKey.get(key);
    if (expected === undefined) return true;
    // No further than to the first that does not show: all have to, and each is looked at once, however often this is asked.
    for (const [uid, object] of expected.deletions) {
      if (isLive(mirror, object)) break;
      expected.deletions.delete(uid);
    }
    const met = expected.revision <= mirror.revision && expected.deletions.size === 0;
    if (!met && this.#clock.elapsed() - expected.sinceMs < EXPECTATION_MAX_MS) return false;
    this.#byKey.delete(key);
    return true;
  }

  /** The object behind the key is gone. */
  forget(key: string): void {
    this.#byKey.delete(key);
  }

  #of(key: string): Expected {
    let expected = this.#byKey.get(key);
    if (expected === undefined) {
      expected = { revision: 0, deletions: new Map(), sinceMs: 0 };
      this.#byKey.set(key, expected);
    }
    expected.sinceMs = this.#clock.elapsed();
    return expected;
  }
}

/** There as it was, and not being deleted. */
function isLive({ lister }: Mirror, { metadata }: Owned): boolean {
  const found = lister.get(metadata.namespace ?? "", metadata.name ?? "")?.metadata;
  return found !== undefined && found.uid === metadata.uid && found.deletionTimestamp === undefined;
}
