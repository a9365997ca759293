import type { LabelSelector } from "./selector.ts";

/** A label that a selector asks for by a single value; undefined when it asks for none so. Indexes file selectors and objects by it. */
export function singleValuePair(selector: LabelSelector): readonly [string, string] | undefined {
  for (const { key, operator, values } of selector.requirements) {
    const [value] = values;
    if ((operator === "in" || operator === "=" || operator === "==") && values.length === 1 && value !== undefined) {
      return [key, value];
    }
  }
  return undefined;
}
