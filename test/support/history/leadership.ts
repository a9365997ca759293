/** The Lease as it was from a revision on. */
export interface LeaseChange {
  readonly revision: number;
  /** Empty when nobody holds it. */
  readonly holder: string;
}

/** Something that an instance of a program wrote. */
export interface Act {
  readonly instance: string;
  /** That of the object that was written. */
  readonly revision: number;
  readonly what: string;
}

/** Those acts that were not the leader's: somebody else, or nobody, held the Lease when they were done. Changes are in order. */
export function actsOfOthers(changes: readonly LeaseChange[], acts: readonly Act[]): readonly string[] {
  return acts.flatMap(({ instance, revision, what }) => {
    const held = changes.findLast((change) => change.revision <= revision);
    if (held === undefined) return [`${instance} did ${what} at ${revision}, before anybody led`];
    return held.holder === instance
      ? []
      : [`${instance} did ${what} at ${revision}, where ${held.holder || "nobody"} led since ${held.revision}`];
  });
}

/** Times of a Lease between holders, by revision: who held it, and who then. Renewals are left out. */
export function successions(changes: readonly LeaseChange[]): readonly LeaseChange[] {
  return changes.filter(({ holder }, i) => holder !== changes[i - 1]?.holder);
}
