import type { Clock } from "#base/clock.ts";
import type { Owned } from "./ownership.ts";

interface Expected {
  /** The mirror must have reached this revision. */
  revision: number;
  /** Objects whose deletion was asked for. */
  readonly deletions: Set<string>;
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
  deleting(key: string, uid: string): void {
    this.#of(key).deletions.add(uid);
  }

  /** That deletion failed. */
  notDeleting(key: string, uid: string): void {
    this.#byKey.get(key)?.deletions.delete(uid);
  }

  /**
   * Whether the mirror, complete up to `revision`, shows everything. `owned` is what it holds of the objects whose
   * deletion may have been asked for. Call for every look at the key: it also forgets.
   */
  satisfied(key: string, revision: number, owned: readonly Owned[] = []): boolean {
    const expected = this.#byKey.get(key);
    if (expected === undefined) return true;
    if (expected.deletions.size > 0) {
      const live = new Set(
        owned.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.uid),
      );
      for (const uid of expected.deletions) if (!live.has(uid)) expected.deletions.delete(uid);
    }
    const met = expected.revision <= revision && expected.deletions.size === 0;
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
      expected = { revision: 0, deletions: new Set(), sinceMs: 0 };
      this.#byKey.set(key, expected);
    }
    expected.sinceMs = this.#clock.elapsed();
    return expected;
  }
}
