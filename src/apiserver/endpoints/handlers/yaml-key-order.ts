const LETTER = /^\p{L}$/u;
const DIGIT = /^\p{Nd}$/u;

/** The order in which go-yaml (v2) writes keys: numbers within texts by their value, letters behind everything else. */
export function compareYamlKeys(a: string, b: string): number {
  // Most keys differ in a letter, and are of ASCII.
  const [left, right] = [[...a], [...b]];
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    const [x, y] = [left[i] as string, right[i] as string];
    if (x === y) continue;
    const [isLetter, isOtherLetter] = [LETTER.test(x), LETTER.test(y)];
    if (isLetter && isOtherLetter) return codePoints(x, y);
    if (isLetter || isOtherLetter) return isOtherLetter ? -1 : 1;
    return compareNumbers(left, right, i) || codePoints(x, y);
  }
  return left.length - right.length;
}

function codePoints(x: string, y: string): number {
  return (x.codePointAt(0) ?? 0) - (y.codePointAt(0) ?? 0);
}

/** Compares the digits from `start` on, where the texts begin to differ: by their value, then by their number. */
function compareNumbers(left: readonly string[], right: readonly string[], start: number): number {
  const lead = (left[start] === "0" || right[start] === "0") && followsNumber(left, start) ? 1 : 0;
  const [a, b] = [digitsFrom(left, start), digitsFrom(right, start)];
  return value(a, lead) - value(b, lead) || a.length - b.length;
}

/** A zero behind other digits counts: 100 is not 10. */
function followsNumber(text: readonly string[], at: number): boolean {
  for (let i = at - 1; i >= 0 && DIGIT.test(text[i] as string); i--) if (text[i] !== "0") return true;
  return false;
}

function digitsFrom(text: readonly string[], start: number): readonly string[] {
  let end = start;
  while (end < text.length && DIGIT.test(text[end] as string)) end++;
  return text.slice(start, end);
}

function value(digits: readonly string[], lead: number): number {
  return digits.reduce((sum, digit) => sum * 10 + ((digit.codePointAt(0) ?? 0) - 48), lead);
}
