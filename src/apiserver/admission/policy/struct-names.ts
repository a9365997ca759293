import { CelList, CelMap, type CelValue, StructMap } from "#apimachinery/cel/values.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";

/** What is wrong with the names of an object's types: each is the path to where it stands. Undefined for what is right. */
export function structNameFault(value: CelValue): string | undefined {
  return value instanceof StructMap ? fault(value, value.typeName) : undefined;
}

function fault(value: CelValue, path: string): string | undefined {
  if (value instanceof StructMap) {
    const { typeName } = value;
    if (typeName !== path) {
      const names = `unexpected type name ${goQuote(typeName)}, expected ${goQuote(path)}`;
      return `type mismatch: ${names}, which matches field name path from root Object type`;
    }
    return firstFault([...value.entries()].map(([key, below]) => [below, `${path}.${String(key)}`] as const));
  }
  if (value instanceof CelList) return firstFault(Array.from(value, (item) => [item, path] as const));
  if (!(value instanceof CelMap)) return undefined;
  return firstFault([...value.keys()].map((key) => [value.find(key) ?? null, path] as const));
}

function firstFault(values: readonly (readonly [CelValue, string])[]): string | undefined {
  for (const [value, path] of values) {
    const found = fault(value, path);
    if (found !== undefined) return found;
  }
  return undefined;
}
