const CANONICAL = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

/**
 * Base64 as Go's standard encoding would write it again: line breaks left out, spare bits cleared.
 * Throws an Error with Go's message.
 */
export function canonicalBase64(text: string): string {
  if (CANONICAL.test(text)) return text;
  checkBase64(text);
  return Buffer.from(text.replace(/[\r\n]/g, ""), "base64").toString("base64");
}

/** Go's decoder, for the offset that its message tells. */
function checkBase64(text: string): void {
  const offset = badOffset(Buffer.from(text, "utf8"));
  if (offset !== undefined) throw new Error(`illegal base64 data at input byte ${offset}`);
}

function badOffset(bytes: Uint8Array): number | undefined {
  let at = 0;
  const skipLineBreaks = (): void => {
    while (bytes[at] === 10 || bytes[at] === 13) at++;
  };
  for (;;) {
    let inGroup = 0;
    while (inGroup < 4) {
      skipLineBreaks();
      if (at >= bytes.length) return inGroup === 0 ? undefined : at - inGroup;
      const c = bytes[at++] ?? 0;
      if (isBase64Char(c)) {
        inGroup++;
        continue;
      }
      if (c !== 61 || inGroup < 2) return at - 1;
      if (inGroup === 2) {
        skipLineBreaks();
        if (bytes[at] !== 61) return at;
        at++;
      }
      skipLineBreaks();
      return at < bytes.length ? at : undefined;
    }
  }
}

function isBase64Char(c: number): boolean {
  return (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || (c >= 48 && c <= 57) || c === 43 || c === 47;
}
