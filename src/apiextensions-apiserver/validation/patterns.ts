import { assert } from "#base/assert.ts";

/** Whether a text contains a match. */
export type Pattern = (text: string) => boolean;

/** Compiles a pattern; an Error with Go's message for what is no regular expression. */
export type PatternCompiler = (pattern: string) => Pattern | Error;

let loading: Promise<PatternCompiler> | undefined;
let loaded: PatternCompiler | undefined;

/** Patterns kept compiled; beyond, the oldest is forgotten. */
const COMPILED_MAX = 1000;

/**
 * Go's regular expressions (RE2): the same syntax, and time that grows with the text alone, whatever pattern a client sends.
 * Loaded when the first is needed.
 */
export function loadPatterns(): Promise<PatternCompiler> {
  loading ??= import("re2js").then(({ RE2JS }) => {
    const compiled = new Map<string, Pattern | Error>();
    loaded = (pattern) => {
      const known = compiled.get(pattern);
      if (known !== undefined) return known;
      if (compiled.size >= COMPILED_MAX) compiled.delete(compiled.keys().next().value ?? "");
      const made = compile(() => RE2JS.compile(pattern));
      compiled.set(pattern, made);
      return made;
    };
    return loaded;
  });
  return loading;
}

/** For where nothing can be awaited; {@link loadPatterns} has resolved before. */
export function loadedPatterns(): PatternCompiler {
  assert(loaded !== undefined, "regular expressions are loaded");
  return loaded;
}

function compile(make: () => { matcher(text: string): { find(): boolean } }): Pattern | Error {
  try {
    const expression = make();
    return (text) => expression.matcher(text).find();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
