/**
 * A compiled JSONPath of printer columns, selectable fields and scale: what it finds in an object, in order. Finds nothing at
 * all where a step does not fit what it meets, such as an index of what is no list.
 */
export type JsonPath = (object: unknown) => readonly unknown[];

type Step = (value: unknown) => readonly unknown[];

/** A step and where the text goes on. */
interface Parsed {
  readonly step: Step;
  readonly end: number;
}

/**
 * Compiles a path such as `.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status` or `.items[0]`, with or without
 * braces. Undefined for what is no such path. Upstream's `client-go/util/jsonpath`, but for ranges and texts between braces.
 */
export function compileJsonPath(path: string): JsonPath | undefined {
  if (path.length > PATH_LENGTH_MAX) return undefined;
  const text = path.replace(/^\{(.*)\}$/s, "$1");
  const steps: Step[] = [];
  for (let at = 0; at < text.length; ) {
    const parsed = parseStep(text, at);
    if (parsed === undefined) return undefined;
    steps.push(parsed.step);
    at = parsed.end;
  }
  const find: JsonPath = (object) => steps.reduce<readonly unknown[]>(takeStep, [object]);
  return (object) => {
    try {
      return find(object);
    } catch (error) {
      if (error instanceof MisfitError) return [];
      throw error;
    }
  };
}

/** Characters of a path; upstream knows no limit, and nobody writes a hundredth of that. */
const PATH_LENGTH_MAX = 10_000;
/** Values that a path may have found on its way: `..` finds again and again what it has found. */
const VALUES_MAX = 100_000;

function takeStep(values: readonly unknown[], step: Step): readonly unknown[] {
  const found: unknown[] = [];
  for (const value of values) {
    for (const one of step(value)) found.push(one);
    if (found.length > VALUES_MAX) throw new MisfitError();
  }
  return found;
}

/** A step meets what it is not for. */
class MisfitError extends Error {
  override readonly name = "MisfitError";
}

function parseStep(text: string, at: number): Parsed | undefined {
  if (text[at] === "[") return parseBrackets(text, at);
  if (text[at] !== ".") return undefined;
  if (text[at + 1] === ".") {
    const below = parseStep(text, at + 1);
    return below && { step: (value) => takeStep([value, ...descendants(value)], below.step), end: below.end };
  }
  const field = match(FIELD, text, at + 1);
  if (field === "") return text[at + 1] === "[" || at + 1 === text.length ? { step: (value) => [value], end: at + 1 } : undefined;
  const name = field.replace(/\\(.)/gs, "$1");
  return { step: field === "*" ? children : member(name), end: at + 1 + field.length };
}

/** Up to the next dot or bracket; a backslash takes away what the character after it would mean. */
const FIELD = /(?:\\.|[^.[\]\\\s])*/sy;

function match(expression: RegExp, text: string, at: number): string {
  expression.lastIndex = at;
  return expression.exec(text)?.[0] ?? "";
}

function parseBrackets(text: string, at: number): Parsed | undefined {
  const end = closing(text, at);
  if (end === undefined) return undefined;
  const inner = text.slice(at + 1, end).trim();
  const filter = /^\?\((.*)\)$/s.exec(inner)?.[1];
  const step = filter === undefined ? union(inner) : filtering(filter);
  return step && { step, end: end + 1 };
}

/** The bracket that closes the one at `at`, past quotes and brackets within. */
function closing(text: string, at: number): number | undefined {
  let depth = 0;
  let quote = "";
  for (let i = at; i < text.length; i++) {
    const ch = text[i] ?? "";
    if (quote !== "") {
      if (ch === "\\") i++;
      else if (ch === quote) quote = "";
    } else if (ch === "'" || ch === '"') quote = ch;
    else if (ch === "[") depth++;
    else if (ch === "]" && --depth === 0) return i;
  }
  return undefined;
}

/** `0`, `-1`, `1:3`, `::2`, `*`, `'a'`, and several of these with commas between. */
function union(inner: string): Step | undefined {
  const steps = splitUnquoted(inner).map((part) => selector(part.trim()));
  if (steps.some((step) => step === undefined)) return undefined;
  return (value) => steps.flatMap((step) => step?.(value) ?? []);
}

/** Splits at commas that an even number of quotes follows. */
function splitUnquoted(text: string): string[] {
  const parts: string[] = [];
  let end = text.length;
  let outside = true;
  for (let at = text.length - 1; at >= 0; at--) {
    if (text[at] === "'") outside = !outside;
    else if (text[at] === "," && outside) {
      parts.unshift(text.slice(at + 1, end));
      end = at;
    }
  }
  return [text.slice(0, end), ...parts];
}

function selector(text: string): Step | undefined {
  if (text === "*") return children;
  const quoted = /^(['"])(.*)\1$/s.exec(text)?.[2];
  if (quoted !== undefined) return member(quoted);
  if (/^-?\d+$/.test(text)) {
    const at = Number(text);
    return onList((list) => {
      const index = at < 0 ? list.length + at : at;
      if (index < 0 || index >= list.length) throw new MisfitError();
      return [list[index]];
    });
  }
  const slice = /^(-?\d*):(-?\d*)(?::(\d*))?$/.exec(text);
  if (slice === null) return undefined;
  const [from, to, step] = slice.slice(1).map((part) => (part === undefined || part === "" ? undefined : Number(part)));
  return onList((list) => list.slice(from, to).filter((_, i) => i % (step || 1) === 0));
}

/** Null is passed over. */
function onList(step: (list: readonly unknown[]) => readonly unknown[]): Step {
  return (value) => {
    if (value === null) return [];
    if (!Array.isArray(value)) throw new MisfitError();
    return step(value);
  };
}

function member(name: string): Step {
  return (value) => {
    if (value === null || typeof value !== "object" || Array.isArray(value) || !Object.hasOwn(value, name)) return [];
    return [(value as Record<string, unknown>)[name]];
  };
}

interface Comparison {
  readonly left: string;
  /** Absent where a filter only asks whether there is something. */
  readonly operator?: string;
  readonly right: string;
}

/** Splits a filter at its first operator that stands in no quotes. */
function parseComparison(text: string): Comparison | undefined {
  let at = 0;
  while (at < text.length && !/[=!<>]/.test(text.charAt(at))) {
    const end = /["']/.test(text.charAt(at)) ? endOfQuotes(text, at) : at + 1;
    if (end === undefined) return undefined;
    at = end;
  }
  if (at === text.length) return { left: text, right: "" };
  const operator = /^(?:==|!=|<=|>=|<|>)/.exec(text.slice(at, at + 2))?.[0];
  const right = text.slice(at + (operator?.length ?? 0)).trim();
  return operator === undefined || right === "" ? undefined : { left: text.slice(0, at), operator, right };
}

function endOfQuotes(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === text[start]) return at + 1;
  }
  return undefined;
}

type Operand = (item: unknown) => readonly unknown[];

function filtering(text: string): Step | undefined {
  const { left, operator, right } = parseComparison(text.trim()) ?? { left: "", right: "" };
  const first = operand(left.trim());
  if (first === undefined) return undefined;
  if (operator === undefined) return onList((list) => list.filter((item) => first(item).length > 0));
  const second = operand(right.trim());
  if (second === undefined) return undefined;
  return onList((list) =>
    list.filter((item) => {
      const [a, b] = [first(item), second(item)];
      if (a.length !== 1 || b.length !== 1) throw new MisfitError();
      return compare(a[0], operator, b[0]);
    }),
  );
}

function operand(text: string): Operand | undefined {
  if (text.startsWith("@")) return compileJsonPath(text.slice(1));
  const quoted = /^(["'])(.*)\1$/s.exec(text)?.[2];
  const value = quoted ?? literal(text);
  return value === undefined ? undefined : () => [value];
}

function literal(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return text === "" || Number.isNaN(Number(text)) ? undefined : Number(text);
}

function compare(a: unknown, operator: string, b: unknown): boolean {
  if (typeof a !== typeof b || typeof a === "object") throw new MisfitError();
  if (operator === "==" || operator === "!=") return (a === b) === (operator === "==");
  if (typeof a === "boolean") throw new MisfitError();
  const order = a === b ? 0 : (a as string) < (b as string) ? -1 : 1;
  if (order === 0) return operator === "<=" || operator === ">=";
  return operator.startsWith(order < 0 ? "<" : ">");
}

function children(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value !== null && typeof value === "object" ? Object.values(value) : [];
}

function descendants(value: unknown): readonly unknown[] {
  return children(value).flatMap((child) => [child, ...descendants(child)]);
}
