/** The Lease as it was from a revision on. */
export interface LeaseChange {
  readonly revision: number;
  /** Empty when nobody holds it. */
  readonly holder: string;
  /** When it was known to be so. */
  readonly at: number;
}

/** Something that an instance of a program wrote. */
export interface Act {
  readonly instance: string;
  /** That of the object that was written. */
  readonly revision: number;
  readonly what: string;
  /** When it was asked for; several answers where the clock was being set that says so. */
  readonly times: readonly number[];
}

/** Revisions of which nobody was told: behind `after`, before `until`. */
export interface Gap {
  readonly after: number;
  readonly until: number;
}

/**
 * Those acts that were not the leader's: somebody else, or nobody, held the Lease when they were done, and when they were asked for.
 * (What was asked for in time may be done late, when the store stood still.) Changes are in order. What was done in a gap, when who led
 * is not known, cannot be judged; nor can what changed nothing, whose revision is that of an older write.
 */
export function actsOfOthers(
  changes: readonly LeaseChange[],
  acts: readonly Act[],
  gaps: readonly Gap[] = [],
): readonly string[] {
  return acts.flatMap(({ instance, revision, what, times }) => {
    if (gaps.some(({ after, until }) => revision > after && revision < until)) return [];
    const held = changes.findLast((change) => change.revision <= revision);
    if (held === undefined) return [`${instance} did ${what} at ${revision}, before anybody led`];
    if (held.holder === instance) return [];
    const last = changes.findLastIndex((change) => change.revision <= revision && change.holder === instance);
    const passed = last < 0 ? undefined : changes.slice(last).find(({ holder }) => holder !== instance);
    if (passed !== undefined && times.some((at) => at < passed.at)) return [];
    // A newer revision was known before this was asked for.
    if (changes.some((change) => change.revision > revision && times.some((at) => change.at < at))) return [];
    return [`${instance} did ${what} at ${revision}, where ${held.holder || "nobody"} led since ${held.revision}`];
  });
}

/** Times of a Lease between holders, by revision: who held it, and who then. Renewals are left out. */
export function successions(changes: readonly LeaseChange[]): readonly LeaseChange[] {
  return changes.filter(({ holder }, i) => holder !== changes[i - 1]?.holder);
}

/** What a holder wrote into the Lease, by its own clock. */
export interface Tenure {
  /** The holder's whole identity; empty when nobody holds the Lease. */
  readonly identity: string;
  readonly acquiredAt: number;
  readonly renewedAt: number;
}

/** Times are written down in microseconds, and read by a clock that is not asked at exactly the moment of the request. */
const ROUNDING_MS = 50;

/**
 * Where a Lease was taken before its time was over. Tenures in the order in which they were written, each of them told; a Lease that was
 * given back may be taken at once. `trueTimes` says what the time may really have been when a holder's clock showed it: nothing where
 * that is not known.
 */
export function earlyTakeovers(
  tenures: readonly Tenure[],
  leaseMs: number,
  trueTimes: (identity: string, shown: number) => readonly number[],
): readonly string[] {
  return tenures.flatMap(({ identity, acquiredAt }, i) => {
    const before = tenures[i - 1];
    if (before === undefined || identity === "" || before.identity === "" || before.identity === identity) return [];
    const renewed = Math.min(...trueTimes(before.identity, before.renewedAt));
    const taken = Math.max(...trueTimes(identity, acquiredAt));
    if (!Number.isFinite(renewed) || !Number.isFinite(taken) || taken - renewed >= leaseMs - ROUNDING_MS) return [];
    return [
      `${identity} took the Lease ${Math.round(taken - renewed)} ms after ${before.identity} had renewed it, not ${leaseMs}`,
    ];
  });
}
