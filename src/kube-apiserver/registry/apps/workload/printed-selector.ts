import type { LabelSelector } from "#api/generated/meta/v1.ts";

/** A selector with its fields in the order in which upstream prints them in messages. */
export function printedSelector(selector: LabelSelector | undefined): object | undefined {
  if (!selector) return undefined;
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values }) => ({
    key: key ?? "",
    operator: operator ?? "",
    ...((values ?? []).length > 0 ? { values } : {}),
  }));
  return {
    ...(labels.length > 0 ? { matchLabels: Object.fromEntries(labels) } : {}),
    ...(expressions.length > 0 ? { matchExpressions: expressions } : {}),
  };
}
