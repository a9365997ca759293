/**
 * Remembers what `make` returned for the last texts: for pure functions whose few inputs come again and again. `limit` bounds
 * the memory; when it is reached everything is forgotten. Longer texts than `lengthMax` are never remembered. A throw is not.
 */
export function memoized<T>(limit: number, make: (text: string) => T, lengthMax = 512): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = make(text);
    if (text.length > lengthMax) return made;
    if (known.size >= limit) known.clear();
    known.set(text, made);
    return made;
  };
}
