/** A value that is made from what changes now and then: kept until `version` is another. */
export function derived<T>(version: () => number, make: () => T): () => T {
  let made: { readonly version: number; readonly value: T } | undefined;
  return () => {
    const now = version();
    if (made?.version !== now) made = { version: now, value: make() };
    return made.value;
  };
}
