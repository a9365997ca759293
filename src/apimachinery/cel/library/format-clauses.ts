/** A place in a format string where a value goes. */
export interface Clause {
  readonly verb: string;
  readonly precision: number | undefined;
}

/** Takes a format string apart into texts and clauses; an Error with cel-go's message when there are more clauses than values, or one is none. */
export function parseFormat(format: string, count: number): (string | Clause)[] | Error {
  const parts: (string | Clause)[] = [];
  let used = 0;
  for (let at = 0; at < format.length; ) {
    const percent = format.indexOf("%", at);
    if (percent < 0) {
      parts.push(format.slice(at));
      break;
    }
    parts.push(format.slice(at, percent));
    if (format[percent + 1] === "%") {
      parts.push("%");
      at = percent + 2;
      continue;
    }
    if (used >= count) return new Error(`index ${used} out of range`);
    if (percent + 1 >= format.length) return new Error("unexpected end of string");
    const clause = parseClause(format.slice(percent + 1));
    if (clause instanceof Error) return clause;
    parts.push(clause);
    used++;
    at = percent + 1 + clause.length;
  }
  return parts;
}

function parseClause(rest: string): (Clause & { readonly length: number }) | Error {
  const [, dot, digits = "", verb] = /^(\.(\d*))?(.)?/s.exec(rest) ?? [];
  const wrong = (message: string) => new Error(`could not parse formatting clause: ${message}`);
  if (dot !== undefined) {
    if (verb === undefined) return wrong("error while parsing precision: could not find end of precision specifier");
    if (digits === "") {
      return wrong(
        'error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax',
      );
    }
  }
  if (verb === undefined || !"sdfebxXo".includes(verb)) return wrong(`unrecognized formatting clause "${verb ?? ""}"`);
  return { verb, precision: dot === undefined ? undefined : Number(digits), length: (dot?.length ?? 0) + 1 };
}
