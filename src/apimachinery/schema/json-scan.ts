/** What a glance over valid JSON text tells. */
export interface JsonScan {
  /** Members of all objects, repeated ones counted each time. */
  readonly members: number;
  /** A number is written with a fraction, an exponent or more digits than a double holds: its literal may matter. */
  readonly oddNumbers: boolean;
}

const QUOTE = 34;
const BACKSLASH = 92;

/** Counts members and looks for odd numbers. The text must be valid JSON. */
export function scanJson(text: string): JsonScan {
  let members = 0;
  let oddNumbers = false;
  let digits = 0;
  const length = text.length;
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      let end = text.indexOf('"', i + 1);
      while (text.charCodeAt(end - 1) === BACKSLASH && isEscaped(text, end)) end = text.indexOf('"', end + 1);
      i = end;
      digits = 0;
    } else if (c >= 48 && c <= 57) {
      if (++digits > 15) oddNumbers = true;
    } else {
      // A dot or an exponent follows a digit only within a number.
      if (digits > 0 && (c === 46 || c === 101 || c === 69)) oddNumbers = true;
      else if (c === 58) members++;
      digits = 0;
    }
  }
  return { members, oddNumbers };
}

/** Whether an object in valid JSON text has a member twice; `value` is what `JSON.parse` made of the text. */
export function hasRepeatedMembers(text: string, value: unknown): boolean {
  return scanJson(text).members !== countMembers(value);
}

/** Members of all objects in a value. */
export function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += countMembers(item);
    return members;
  }
  for (const key in value) members += 1 + countMembers((value as Record<string, unknown>)[key]);
  return members;
}

function isEscaped(text: string, quote: number): boolean {
  let slashes = 0;
  for (let i = quote - 1; text.charCodeAt(i) === BACKSLASH; i--) slashes++;
  return slashes % 2 === 1;
}
