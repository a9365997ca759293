import type { Pod } from "#api/generated/core/v1.ts";
import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { SelectorPool } from "#apimachinery/labels/selector-pool.ts";
import type { ObjectChange, Stores } from "#apiserver/registry/resource-set.ts";
import { budgetSelector } from "#component-helpers/pod/budget-selector.ts";

/**
 * Finds the disruption budgets of pods in the server's own watch cache. Those that cannot select a pod are not asked, and what has
 * changed is looked at when a pod is asked for.
 */
export class PodBudgets {
  readonly #changes: () => readonly ObjectChange<PodDisruptionBudget>[];
  readonly #known = new Map<string, PodDisruptionBudget>();
  readonly #pool = new SelectorPool<PodDisruptionBudget>(budgetSelector);

  constructor(stores: Stores) {
    this.#changes = stores.follow<PodDisruptionBudget>("policy", "poddisruptionbudgets");
  }

  /** In no order. */
  of({ metadata }: Pod): readonly PodDisruptionBudget[] {
    for (const { key, object } of this.#changes()) this.#replace(key, object);
    return this.#pool.selecting(metadata);
  }

  #replace(key: string, budget: PodDisruptionBudget | undefined): void {
    const before = this.#known.get(key);
    if (before !== undefined) this.#pool.remove(before);
    if (budget === undefined) {
      this.#known.delete(key);
      return;
    }
    this.#known.set(key, budget);
    this.#pool.add(budget);
  }
}
