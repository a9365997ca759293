/** A compiled JSONPath of printer columns, selectable fields and scale: what it finds in an object, in order. */
export type JsonPath = (object: unknown) => readonly unknown[];

type Step = (value: unknown) => readonly unknown[];

const TOKEN =
  /\.(?<field>(?:\\.|[^.[\]\\])+)|\[(?:(?<index>-?\d+)|(?<slice>-?\d*:-?\d*)|(?<all>\*)|'(?<quoted>[^']*)'|\?\((?<filter>[^)]*)\))\]/gy;
const FILTER = /^@\.(?<field>[^=!<>\s]+)\s*(?:(?<operator>==|!=)\s*(?<value>.+))?$/;

/**
 * Compiles a path such as `.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status` or `.items[0]`, with or without
 * braces. Undefined for what is no such path.
 */
export function compileJsonPath(path: string): JsonPath | undefined {
  const text = path.replace(/^\{(.*)\}$/s, "$1");
  const steps: Step[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    const step = match?.groups === undefined ? undefined : stepOf(match.groups);
    if (step === undefined) return undefined;
    steps.push(step);
  }
  return (object) => steps.reduce<readonly unknown[]>((values, step) => values.flatMap(step), [object]);
}

function stepOf(token: Readonly<Record<string, string | undefined>>): Step | undefined {
  const { field, index, slice, all, quoted, filter } = token;
  if (field === "*" || all !== undefined) return (value) => children(value);
  if (field !== undefined) return member(field.replace(/\\(.)/g, "$1"));
  if (quoted !== undefined) return member(quoted);
  if (index !== undefined) {
    const at = Number(index);
    return (value) => (Array.isArray(value) ? value.slice(at, at === -1 ? undefined : at + 1) : []);
  }
  if (slice !== undefined) {
    const [from, to] = slice.split(":").map((text) => (text === "" ? undefined : Number(text)));
    return (value) => (Array.isArray(value) ? value.slice(from, to) : []);
  }
  return filter === undefined ? undefined : filtering(filter.trim());
}

function member(name: string): Step {
  return (value) => {
    if (value === null || typeof value !== "object" || Array.isArray(value) || !Object.hasOwn(value, name)) return [];
    return [(value as Record<string, unknown>)[name]];
  };
}

function filtering(text: string): Step | undefined {
  const { field, operator, value } = FILTER.exec(text)?.groups ?? {};
  if (field === undefined) return undefined;
  const find = compileJsonPath(`.${field}`);
  if (find === undefined) return undefined;
  if (operator === undefined) return (list) => children(list).filter((item) => find(item).length > 0);
  const literal = literalOf(value ?? "");
  return (list) => children(list).filter((item) => find(item).includes(literal) === (operator === "=="));
}

function literalOf(text: string): unknown {
  const quoted = /^(["'])(.*)\1$/s.exec(text.trim());
  if (quoted !== null) return quoted[2];
  if (text === "true" || text === "false") return text === "true";
  return Number.isNaN(Number(text)) ? text : Number(text);
}

function children(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value !== null && typeof value === "object" ? Object.values(value) : [];
}
