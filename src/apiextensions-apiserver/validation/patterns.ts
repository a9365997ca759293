/** Whether a text contains a match. */
export type Pattern = (text: string) => boolean;

/** Compiles a pattern; undefined for what is no regular expression. */
export type PatternCompiler = (pattern: string) => Pattern | undefined;

let loaded: Promise<PatternCompiler> | undefined;

/** Patterns kept compiled; beyond, the oldest is forgotten. */
const COMPILED_MAX = 1000;

/**
 * Go's regular expressions (RE2): the same syntax, and time that grows with the text alone, whatever pattern a client sends.
 * Loaded when the first is needed.
 */
export function loadPatterns(): Promise<PatternCompiler> {
  loaded ??= import("re2js").then(({ RE2JS }) => {
    const compiled = new Map<string, Pattern | undefined>();
    return (pattern) => {
      if (compiled.has(pattern)) return compiled.get(pattern);
      if (compiled.size >= COMPILED_MAX) compiled.delete(compiled.keys().next().value ?? "");
      const made = compile(() => RE2JS.compile(pattern));
      compiled.set(pattern, made);
      return made;
    };
  });
  return loaded;
}

function compile(make: () => { matcher(text: string): { find(): boolean } }): Pattern | undefined {
  try {
    const expression = make();
    return (text) => expression.matcher(text).find();
  } catch {
    return undefined;
  }
}
