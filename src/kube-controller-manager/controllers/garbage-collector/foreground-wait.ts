import type { OwnerReference } from "#api/generated/meta/v1.ts";

interface Dependent {
  readonly owners: readonly OwnerReference[];
  readonly beingDeleted: boolean;
}

/**
 * For whom an object waits that is deleted in the foreground: its dependents whose reference says so. Kept while it waits, since it is
 * looked at whenever one of them goes: to look through all each time, as upstream does, would cost the more the more there are.
 */
export class ForegroundWait<D extends Dependent = Dependent> {
  readonly #uid: string;
  readonly #blocking = new Set<D>();
  readonly #staying = new Set<D>();

  /** `uid` is that of the object that waits. */
  constructor(uid: string, dependents: Iterable<D>) {
    this.#uid = uid;
    for (const dependent of dependents) this.add(dependent);
  }

  /** None is left. */
  get isOver(): boolean {
    return this.#blocking.size === 0;
  }

  /** Those that nobody has deleted yet. */
  get staying(): Iterable<D> {
    return this.#staying;
  }

  /** A dependent as it is now. */
  add(dependent: D): void {
    const blocks = dependent.owners.some(({ uid, blockOwnerDeletion }) => uid === this.#uid && blockOwnerDeletion === true);
    if (!blocks) return;
    this.#blocking.add(dependent);
    if (!dependent.beingDeleted) this.#staying.add(dependent);
  }

  /** A dependent that is gone, or about to change. */
  remove(dependent: D): void {
    this.#blocking.delete(dependent);
    this.#staying.delete(dependent);
  }
}
