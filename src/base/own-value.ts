/**
 * A member of a map under a name that somebody else chose. `constructor` and its like, which every object inherits, are
 * members only where they were put.
 */
export function ownValue<T>(map: Readonly<Record<string, T>> | null | undefined, name: string): T | undefined {
  return map !== undefined && map !== null && Object.hasOwn(map, name) ? map[name] : undefined;
}
