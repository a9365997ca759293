const RESERVED = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

const SEQUENCES: Readonly<Record<string, string>> = { __: "underscores", ".": "dot", "-": "dash", "/": "slash" };
const MEANINGS: Readonly<Record<string, string>> = { underscores: "__", dot: ".", dash: "-", slash: "/" };

/** The name under which an expression reaches a property; undefined for one that it cannot. Upstream's `cel.Escape`. */
export function escapeName(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  if (!/^[a-zA-Z_.\-/][a-zA-Z0-9_.\-/]*$/.test(name)) return undefined;
  return name.replace(/__|[.\-/]/g, (part) => `__${SEQUENCES[part]}__`);
}

/** The property behind a name; undefined for one that {@link escapeName} does not make. */
export function unescapeName(name: string): string | undefined {
  if (!name.includes("__")) return name;
  let valid = true;
  const property = name.replace(/__([^_]+)__/g, (whole, inner: string) => {
    if (RESERVED.has(inner)) {
      if (whole !== name) valid = false;
      return inner;
    }
    const meaning = Object.hasOwn(MEANINGS, inner) ? MEANINGS[inner] : undefined;
    if (meaning === undefined) valid = false;
    return meaning ?? "";
  });
  return valid ? property : undefined;
}

/** The word of the language that a name such as `__if__` stands for. */
export function reservedWord(name: string): string | undefined {
  const word = /^__([a-z]+)__$/.exec(name)?.[1];
  return word !== undefined && RESERVED.has(word) ? word : undefined;
}

/** Whether it can name a variable: no word of the language, reserved ones among them. */
export function isCelIdentifier(name: string): boolean {
  return /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !RESERVED.has(name);
}
