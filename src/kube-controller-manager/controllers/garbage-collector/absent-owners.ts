/** Owners that the server did not know are remembered, for their other dependents. */
const ABSENT_OWNERS_MAX = 500;

/** Uids of objects that are gone for good; the oldest are forgotten first. Upstream's `absentOwnerCache`. */
export class AbsentOwners {
  readonly #uids = new Set<string>();

  /** It is gone. */
  add(uid: string): void {
    this.#uids.add(uid);
    for (const oldest of this.#uids) {
      if (this.#uids.size <= ABSENT_OWNERS_MAX) break;
      this.#uids.delete(oldest);
    }
  }

  has(uid: string): boolean {
    return this.#uids.has(uid);
  }
}
