import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "test/conformance/behaviours");

/** One request, and what a Kubernetes API server answers to it. */
export interface Step {
  /** Method and path; `{ns}` is the row's own namespace, `{id}` its own word, other words are what earlier steps kept. */
  readonly do: string;
  /** Acts as this user, by impersonation; `groups` with it. */
  readonly as?: string;
  readonly groups?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** What the body is; when absent `json`, or `merge` for a PATCH. */
  readonly type?: keyof typeof contentTypes;
  /** A text is sent as it is. */
  readonly send?: unknown;
  /** Several where upstream leaves it open. */
  readonly status: number | readonly number[];
  /** What the body holds at least; see {@link differences}. */
  readonly answer?: unknown;
  /** Headers of the answer, each as in `answer`. */
  readonly told?: Readonly<Record<string, unknown>>;
  /** The events of a watch that ends, all of them. */
  readonly events?: readonly unknown[];
  /** The whole body as text, matched by a regular expression. */
  readonly text?: string;
  /** Names for values of the answer, by their path, for later steps. */
  readonly keep?: Readonly<Record<string, string>>;
  /** Asks again until the answer is so, for at most so many seconds. */
  readonly within?: number;
}

/** A line of the checklist of behaviours, and what shows that it holds. */
export interface Behaviour {
  readonly line: number;
  readonly what: string;
  readonly steps?: readonly Step[];
  /** `FILE › TITLE` of tests elsewhere, or `recorded › AREA`. */
  readonly tests?: readonly string[];
  /** Why it is not there: the beginning of an entry of unsupported.yaml. */
  readonly unsupported?: string;
}

export const contentTypes = {
  json: "application/json",
  yaml: "application/yaml",
  "json-patch": "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
  text: "text/plain",
} as const;

/** Lines that the table must hold: sections A to G of the checklist, on the API server, and J and K, on nodes and networks. */
export const LINES: readonly number[] = [...range(1, 143), ...range(180, 213)];

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** The whole table, in the order of its lines. */
export function readBehaviours(): Behaviour[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml"))
    .flatMap((file) => load(readFileSync(join(folder, file), "utf8")) as Behaviour[])
    .sort((a, b) => a.line - b.line);
}

/** Tells why a reference to a test leads nowhere; undefined when it holds. `areas` are upstream's recorded ones where they are known. */
export function brokenReference(reference: string, areas: ReadonlySet<string> | undefined): string | undefined {
  const [file = "", title = ""] = reference.split(" › ");
  if (file === "recorded") return !areas || areas.has(title) ? undefined : `no recorded area ${title}`;
  const path = join(root, file);
  if (!existsSync(path)) return `no file ${file}`;
  return title !== "" && readFileSync(path, "utf8").includes(title) ? undefined : `no test "${title}" in ${file}`;
}

/** Puts kept words into a value: `{word}` in its texts. */
export function fill<T>(value: T, words: ReadonlyMap<string, string>): T {
  if (typeof value === "string") return value.replace(/\{([a-z]\w*)\}/gi, (all, word: string) => words.get(word) ?? all) as T;
  if (Array.isArray(value)) return value.map((item) => fill(item, words)) as T;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [fill(key, words), fill(item, words)])) as T;
}

/** The value at a path such as `metadata.ownerReferences.0.uid`. */
export function valueAt(value: unknown, path: string): unknown {
  const walk = (at: unknown, key: string): unknown => (at as Record<string, unknown> | null | undefined)?.[key];
  return path.split(".").reduce(walk, value);
}

/**
 * How an answer differs from what is wanted of it: an object may hold more, a list may not, `null` means absent,
 * and a text in slashes is a regular expression.
 */
export function differences(want: unknown, got: unknown, at = "$"): string[] {
  if (want === null) return got === undefined || got === null ? [] : [`${at}: want nothing, got ${short(got)}`];
  if (typeof want === "string" && /^\/.*\/s?$/s.test(want)) {
    const end = want.lastIndexOf("/");
    return new RegExp(want.slice(1, end), want.slice(end + 1)).test(String(got))
      ? []
      : [`${at}: want ${want}, got ${short(got)}`];
  }
  if (Array.isArray(want)) {
    if (!Array.isArray(got) || got.length !== want.length) return [`${at}: want ${want.length} items, got ${short(got)}`];
    return want.flatMap((item, index) => differences(item, got[index], `${at}[${index}]`));
  }
  if (typeof want === "object")
    return got !== null && typeof got === "object"
      ? Object.entries(want).flatMap(([key, item]) => differences(item, (got as Record<string, unknown>)[key], `${at}.${key}`))
      : [`${at}: want an object, got ${short(got)}`];
  return want === got ? [] : [`${at}: want ${short(want)}, got ${short(got)}`];
}

function short(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 400);
}
