import { type Declaration, declareFunction, declareMethod } from "../declarations.ts";
import type { Regex, RegexEngine } from "../regex-engine.ts";
import { BOOL, INT, listOf, STRING } from "../types.ts";
import { ArrayList, CelError } from "../values.ts";

/** `matches`, `find` and `findAll`. */
export function regexes(engine: RegexEngine): readonly Declaration[] {
  const compile = (pattern: string, prefix = ""): Regex => {
    const compiled = engine(pattern);
    if (compiled instanceof Error) throw new CelError(prefix + compiled.message);
    return compiled;
  };
  const matches = ([text, pattern]: readonly unknown[]) => compile(pattern as string).test(text as string);
  const findAll = (text: string, pattern: string, most: bigint) => {
    const found = most === 0n ? [] : compile(pattern, "Illegal regex: ").findAll(text, most < 0n ? undefined : Number(most));
    return new ArrayList(found);
  };
  return [
    declareFunction("matches", "matches", [STRING, STRING], BOOL, matches),
    declareMethod("matches", "matches_string", [STRING, STRING], BOOL, matches),
    declareMethod("find", "string_find_string", [STRING, STRING], STRING, ([text, pattern]) => {
      return compile(pattern as string, "Illegal regex: ").findAll(text as string, 1)[0] ?? "";
    }),
    declareMethod("findAll", "string_find_all_string", [STRING, STRING], listOf(STRING), ([text, pattern]) => {
      return findAll(text as string, pattern as string, -1n);
    }),
    declareMethod("findAll", "string_find_all_string_int", [STRING, STRING, INT], listOf(STRING), ([text, pattern, most]) => {
      return findAll(text as string, pattern as string, most as bigint);
    }),
  ];
}
