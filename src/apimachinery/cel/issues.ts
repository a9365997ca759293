/** Something wrong in an expression. `pos` is undefined where it has no place. */
export interface Issue {
  readonly pos: number | undefined;
  readonly message: string;
}

/** Errors shown; more are counted. */
const ISSUES_SHOWN_MAX = 100;

/** Lines longer than this are not shown below an error. */
const SNIPPET_MAX = 16_384;

/** All of an expression's errors in the order of their places, each with its line and a mark below it; cel-go's `ToDisplayString`. */
export function formatIssues(source: string, issues: readonly Issue[]): string {
  const starts = lineStarts(source);
  const located = issues.map((issue) => ({ issue, ...location(starts, issue.pos) }));
  located.sort((a, b) => a.line - b.line || a.column - b.column);
  const shown = located.slice(0, ISSUES_SHOWN_MAX).map(({ issue, line, column }) => {
    return `ERROR: <input>:${line}:${column + 1}: ${issue.message}${snippet(source, line, column)}`;
  });
  if (issues.length > ISSUES_SHOWN_MAX) shown.push(`${issues.length - ISSUES_SHOWN_MAX} more errors were truncated`);
  return shown.join("\n");
}

/** Where lines begin, in code points. */
function lineStarts(source: string): readonly number[] {
  const starts = [0];
  let at = 0;
  for (const char of source) {
    at++;
    if (char === "\n") starts.push(at);
  }
  return starts;
}

function location(starts: readonly number[], pos: number | undefined): { line: number; column: number } {
  if (pos === undefined) return { line: -1, column: -1 };
  let [low, high] = [0, starts.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= pos) low = middle;
    else high = middle;
  }
  return { line: low + 1, column: pos - (starts[low] ?? 0) };
}

function snippet(source: string, line: number, column: number): string {
  const text = line < 1 ? undefined : source.split("\n")[line - 1]?.replaceAll("\t", " ");
  if (text === undefined || text.length > SNIPPET_MAX) return "";
  const chars = Array.from(text);
  const wide = (char: string | undefined) => char !== undefined && char > "\u007f";
  const dots = chars.slice(0, column).map((char) => (wide(char) ? "\uff0e" : "."));
  return `\n | ${text}\n | ${dots.join("")}${wide(chars[column]) ? "\uff3e" : "^"}`;
}
