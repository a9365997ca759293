/** A map by group and plural. Asked several times for each request, it makes no text of the two for a key. */
export class ByResource<V> {
  readonly #groups = new Map<string, Map<string, V>>();

  get(group: string, plural: string): V | undefined {
    return this.#groups.get(group)?.get(plural);
  }

  set(group: string, plural: string, value: V): void {
    const known = this.#groups.get(group);
    if (known === undefined) this.#groups.set(group, new Map([[plural, value]]));
    else known.set(plural, value);
  }

  delete(group: string, plural: string): void {
    const known = this.#groups.get(group);
    known?.delete(plural);
    if (known?.size === 0) this.#groups.delete(group);
  }

  /** Group by group. */
  *values(): Generator<V, void, undefined> {
    for (const group of this.#groups.values()) yield* group.values();
  }
}
