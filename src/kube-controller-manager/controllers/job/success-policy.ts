import type { SuccessPolicy } from "#api/generated/batch/v1.ts";
import { countCommonIndexes, countIndexes, type IndexSet, parseIndexes } from "./index-set.ts";

/** Why the Job may be declared a success early (KEP-3998); undefined while no rule is met. */
export function matchSuccessPolicy(
  policy: SuccessPolicy | undefined,
  completions: number,
  succeeded: IndexSet,
): string | undefined {
  for (const [index, { succeededIndexes, succeededCount }] of (policy?.rules ?? []).entries()) {
    let have = countIndexes(succeeded);
    let need = succeededCount;
    if (succeededIndexes !== undefined) {
      const wanted = parseIndexes(succeededIndexes, completions);
      have = countCommonIndexes(wanted, succeeded);
      need ??= countIndexes(wanted);
    }
    if (need !== undefined && have >= need) return `Matched rules at index ${index}`;
  }
  return undefined;
}
