/** One condition of a field selector; `==` is read as `=`. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

/** A field selector, ready to match. Immutable. */
export interface FieldSelector {
  /** `get` returns the value of a field as text, empty when it is absent. */
  matches(get: (field: string) => string): boolean;
  readonly requirements: readonly FieldRequirement[];
  /** Matches everything. */
  readonly empty: boolean;
  toString(): string;
}

/** A selector of these conditions. */
export function fieldSelectorFromRequirements(requirements: readonly FieldRequirement[]): FieldSelector {
  return {
    matches: (get) => {
      for (const { field, operator, value } of requirements) if ((get(field) === value) !== (operator === "=")) return false;
      return true;
    },
    requirements,
    empty: requirements.length === 0,
    toString: () => requirements.map(({ field, operator, value }) => `${field}${operator}${escapeValue(value)}`).join(","),
  };
}

function escapeValue(value: string): string {
  return value.replace(/[\\,=]/g, (char) => `\\${char}`);
}

/**
 * Reads a selector such as `metadata.name=a,status.phase!=Running`. Whether the fields are known is for the caller.
 * Throws an Error with the text of upstream's `fields.ParseSelector`.
 */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).sort()) {
    if (term === "") continue;
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (match === null) throw new Error(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = "", sign = "", value = ""] = match;
    const operator = sign === "!=" ? "!=" : "=";
    const requirement: FieldRequirement = { field, operator, value: unescapeValue(value) };
    // A term without field and value says nothing.
    if (field !== "" || requirement.value !== "") requirements.push(requirement);
  }
  return fieldSelectorFromRequirements(requirements);
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === ",") {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescapeValue(value: string): string {
  if (!/[\\,=]/.test(value)) return value;
  let out = "";
  const chars = [...value];
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? "";
    if (char === "\\") {
      const next = chars[++i];
      if (next !== "\\" && next !== "," && next !== "=") {
        throw new Error(`invalid field selector: invalid escape sequence: \\${next ?? ""}`);
      }
      out += next;
    } else if (char === "," || char === "=") {
      throw new Error(`invalid field selector: unescaped character in value: ${char.codePointAt(0)}`);
    } else out += char;
  }
  return out;
}
