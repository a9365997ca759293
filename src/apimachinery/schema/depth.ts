/**
 * Levels of objects and lists that a document may have. Go's decoders stop at 10000; what walks a document here goes down by
 * calling itself, so that a stack's size is the limit. Documents that people write have some dozens.
 */
export const DEPTH_MAX = 1000;

/** Go's complaint about a document that is deeper. */
export const TOO_DEEP = "exceeded max depth";

const QUOTE = 34;
const BACKSLASH = 92;

/** Whether JSON text, well-formed or not, opens more levels than may be. */
export function isTextTooDeep(text: string): boolean {
  if (text.length <= DEPTH_MAX) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case 91:
      case 123:
        if (++depth > DEPTH_MAX) return true;
        break;
      case 93:
      case 125:
        depth--;
    }
  }
  return false;
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

/** Whether a value in memory has more levels than may be. */
export function isValueTooDeep(value: unknown): boolean {
  return hasLevels(value, DEPTH_MAX + 1);
}

/** Never calls itself more than `levels` deep. */
function hasLevels(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 1) return true;
  if (Array.isArray(value)) return value.some((item) => hasLevels(item, levels - 1));
  for (const key in value) if (hasLevels((value as Record<string, unknown>)[key], levels - 1)) return true;
  return false;
}
