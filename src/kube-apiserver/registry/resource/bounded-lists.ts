import { duplicate, type FieldError, tooMany } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength } from "#apimachinery/validation/names.ts";

type Check<T> = (item: T, path: FieldPath) => readonly FieldError[];

/** Upstream's `validateSlice`: the items of a list are looked at only where it is not too long. */
export function sliceErrors<T>(list: readonly T[] | undefined, max: number, path: FieldPath, check: Check<T>): FieldError[] {
  const items = list ?? [];
  if (items.length > max) return [tooMany(path, items.length, max)];
  return items.flatMap((item, i) => check(item, path.index(i)));
}

/**
 * Upstream's `validateSet`: as a slice, and no key stands there twice. `shown` is what is said of one that does, where it is
 * not the key itself.
 */
export function setErrors<T>(
  list: readonly T[] | undefined,
  max: number,
  path: FieldPath,
  check: Check<T>,
  key: (item: T) => string,
  shown: (item: T) => unknown = key,
): FieldError[] {
  const items = list ?? [];
  if (items.length > max) return [tooMany(path, items.length, max)];
  const seen = new Set<string>();
  const again = items.flatMap((item, i) => {
    const own = key(item);
    if (seen.has(own)) return [duplicate(path.index(i), shown(item))];
    seen.add(own);
    return [];
  });
  return [...sliceErrors(items, max, path, check), ...again];
}

/** Upstream's `validateMap`: faults of keys are faults of the map. Long keys are cut in paths. */
export function mapErrors<T>(
  map: Readonly<Record<string, T>> | undefined,
  max: number,
  path: FieldPath,
  checks: { readonly key: (key: string, path: FieldPath) => readonly FieldError[]; readonly item?: Check<T> },
  shownKeyMax = 63,
): FieldError[] {
  const entries = Object.entries(map ?? {});
  if (entries.length > max) return [tooMany(path, entries.length, max)];
  return entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, item]) => [
      ...checks.key(key, path),
      ...(checks.item?.(item, path.key(cutInTheMiddle(key, shownKeyMax))) ?? []),
    ]);
}

function cutInTheMiddle(text: string, max: number): string {
  if (byteLength(text) <= max) return text;
  const kept = max - 3;
  return `${text.slice(0, Math.ceil(kept / 2))}...${text.slice(text.length - Math.floor(kept / 2))}`;
}
