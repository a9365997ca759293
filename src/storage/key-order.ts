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
  let end = prefix.length;
  while (end > 0) {
    let start = end - 1;
    let code = prefix.charCodeAt(start);
    if (isLowSurrogate(code) && start > 0 && isHighSurrogate(prefix.charCodeAt(start - 1))) {
      start--;
      code = prefix.codePointAt(start) ?? code;
    }
    if (code < 0x10ffff) return prefix.slice(0, start) + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1);
    end = start;
  }
  return undefined;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** The first key of a listing: the prefix, or the later key at which the caller wants to begin. */
export function rangeStart(prefix: string, startKey: string | undefined): string {
  return startKey !== undefined && sortKey(startKey) > sortKey(prefix) ? startKey : prefix;
}
