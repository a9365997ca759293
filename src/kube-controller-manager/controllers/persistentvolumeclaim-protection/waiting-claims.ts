import { splitKey } from "#client/object-meta.ts";

/**
 * Claims that are to be looked at, by namespace: those of one are looked at together, for the sake of what they have to know in
 * common. Upstream's `pvcProcessingStore`.
 */
export class WaitingClaims {
  readonly #byNamespace = new Map<string, Set<string>>();

  /** Adds claims by their keys, and gives the namespaces that they are in. */
  add(keys: Iterable<string>): ReadonlySet<string> {
    const namespaces = new Set<string>();
    for (const key of keys) {
      const { namespace, name } = splitKey(key);
      namespaces.add(namespace);
      const names = this.#byNamespace.get(namespace);
      if (names === undefined) this.#byNamespace.set(namespace, new Set([name]));
      else names.add(name);
    }
    return namespaces;
  }

  /** Hands out the names of those of a namespace, which wait no longer. */
  take(namespace: string): Iterable<string> {
    const names = this.#byNamespace.get(namespace) ?? [];
    this.#byNamespace.delete(namespace);
    return names;
  }
}
