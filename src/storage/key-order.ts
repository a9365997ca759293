const BEYOND_SURROGATES = /[\ud800-\uffff]/;
const UNITS_TO_SHIFT = /[\ud800-\uffff]/g;

/**
 * A string that JavaScript's `<` orders as the UTF-8 bytes of `key`. The two orders differ only for characters
 * beyond U+FFFF, whose surrogates sort before U+E000; those ranges are swapped. Most keys come back as they are.
 */
export function sortKey(key: string): string {
  if (!BEYOND_SURROGATES.test(key)) return key;
  return key.replace(UNITS_TO_SHIFT, (unit) => {
    const code = unit.charCodeAt(0);
    return String.fromCharCode(code >= 0xe000 ? code - 0x800 : code + 0x2000);
  });
}

/** The least key (in the order of code points) that is greater than every key with the prefix; undefined for no bound. */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const code = last.codePointAt(0) ?? 0;
    if (code >= 0x10ffff) continue;
    return points.join("") + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1);
  }
  return undefined;
}

/** The first key of a listing: the prefix, or the later key at which the caller wants to begin. */
export function rangeStart(prefix: string, startKey: string | undefined): string {
  return startKey !== undefined && sortKey(startKey) > sortKey(prefix) ? startKey : prefix;
}
