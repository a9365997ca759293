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
  /** When it was asked for. */
  readonly at: number;
}

/**
 * Those acts that were not the leader's: somebody else, or nobody, held the Lease when they were done, and when they were asked for.
 * (What was asked for in time may be done late, when the store stood still.) Changes are in order.
 */
export function actsOfOthers(changes: readonly LeaseChange[], acts: readonly Act[]): readonly string[] {
  return acts.flatMap(({ instance, revision, what, at }) => {
    const held = changes.findLast((change) => change.revision <= revision);
    if (held === undefined) return [`${instance} did ${what} at ${revision}, before anybody led`];
    const last = changes.findLastIndex((change) => change.revision <= revision && change.holder === instance);
    const passed = last < 0 ? undefined : changes.slice(last).find(({ holder }) => holder !== instance);
    if (passed !== undefined && at < passed.at) return [];
    return held.holder === instance
      ? []
      : [`${instance} did ${what} at ${revision}, where ${held.holder || "nobody"} led since ${held.revision}`];
  });
}

/** Times of a Lease between holders, by revision: who held it, and who then. Renewals are left out. */
export function successions(changes: readonly LeaseChange[]): readonly LeaseChange[] {
  return changes.filter(({ holder }, i) => holder !== changes[i - 1]?.holder);
}
