import type { Json } from "./type-document.ts";

/** The parts of a v2 document that several sources add to. */
const PARTS = ["paths", "definitions", "parameters"] as const;

type Part = (typeof PARTS)[number];

/** Entries of these parts as JSON texts, which take less room than objects, and are put together faster. */
export type V2Fragments = Readonly<Record<Part, ReadonlyMap<string, string>>>;

/** The entries of a document; of definitions and parameters only those that `known` has not. */
export function fragmentsOf(document: Json, known?: V2Fragments): V2Fragments {
  const part = (name: Part): Map<string, string> => {
    const entries = Object.entries((document[name] ?? {}) as Json).filter(([key]) => known?.[name].has(key) !== true);
    return new Map(entries.map(([key, value]) => [key, JSON.stringify(value)]));
  };
  return { paths: part("paths"), definitions: part("definitions"), parameters: part("parameters") };
}

/** A document as text with the entries of all sources, by name; of two of one name, the first counts. `rest` is what stands beside. */
export function documentOf(rest: Json, sources: readonly V2Fragments[]): string {
  const members = Object.entries(rest).map(([key, value]) => {
    const part = PARTS.find((name) => name === key);
    return `${JSON.stringify(key)}:${part === undefined ? JSON.stringify(value) : together(sources.map((source) => source[part]))}`;
  });
  return `{${members.join()}}`;
}

function together(sources: readonly ReadonlyMap<string, string>[]): string {
  const all = new Map<string, string>();
  for (const source of sources) for (const [key, text] of source) if (!all.has(key)) all.set(key, text);
  const sorted = [...all].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join()}}`;
}
