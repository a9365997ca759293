/** A compiled regular expression. */
export interface Regex {
  readonly test: (text: string) => boolean;
  /** What matches, from the left, without overlaps. */
  readonly findAll: (text: string, most?: number) => string[];
}

/** Compiles Go's regular expressions; an Error with Go's message for what is none. */
export type RegexEngine = (pattern: string) => Regex | Error;

/** Expressions kept compiled; beyond, the oldest is forgotten. */
const COMPILED_MAX = 1000;

let loaded: Promise<RegexEngine> | undefined;

/** RE2's syntax, in time that grows with the text alone. Loaded when the first is needed. */
export function loadRegexEngine(): Promise<RegexEngine> {
  loaded ??= import("re2js").then(({ RE2JS }) => {
    const compiled = new Map<string, Regex | Error>();
    return (pattern) => {
      const known = compiled.get(pattern);
      if (known !== undefined) return known;
      if (compiled.size >= COMPILED_MAX) compiled.delete(compiled.keys().next().value ?? "");
      const made = compile(() => RE2JS.compile(pattern));
      compiled.set(pattern, made);
      return made;
    };
  });
  return loaded;
}

interface Matcher {
  find(): boolean;
  group(): string | null;
}

function compile(make: () => { matcher(text: string): Matcher }): Regex | Error {
  try {
    const expression = make();
    return {
      test: (text) => expression.matcher(text).find(),
      findAll(text, most = Number.POSITIVE_INFINITY) {
        const found: string[] = [];
        const matcher = expression.matcher(text);
        while (found.length < most && matcher.find()) found.push(matcher.group() ?? "");
        return found;
      },
    };
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  }
}
