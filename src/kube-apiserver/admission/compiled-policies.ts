import type { ApiObject } from "#apimachinery/meta/api-object.ts";

interface Kept<C> {
  readonly policy: ApiObject;
  readonly bindings: readonly ApiObject[];
  readonly compiled: C;
}

/**
 * What was compiled of policies, as long as they and their bindings stay. Each takes some milliseconds: to compile all again for one
 * that changes, or whose status is told, would keep requests waiting for as many as there are. Upstream's `policySource` keeps them, too.
 */
export class CompiledPolicies<C> {
  #kept = new Map<string, Kept<C>>();

  /** The policies, each with those of the bindings that are its own, in their order; what is not among them is forgotten. */
  of(
    policies: readonly ApiObject[],
    bindings: ReadonlyMap<string, readonly ApiObject[]>,
    compile: (policy: ApiObject, bindings: readonly ApiObject[]) => C,
  ): readonly C[] {
    const kept = new Map<string, Kept<C>>();
    for (const policy of policies) {
      const { name = "" } = policy.metadata;
      const own = bindings.get(name) ?? [];
      const before = this.#kept.get(name);
      const stays = before !== undefined && isSameSpec(before.policy, policy) && areSame(before.bindings, own);
      kept.set(name, stays ? before : { policy, bindings: own, compiled: compile(policy, own) });
    }
    this.#kept = kept;
    return [...kept.values()].map(({ compiled }) => compiled);
  }
}

/** Their generation tells: it rises with each change of the spec, and with none of the status. */
function isSameSpec(before: ApiObject, now: ApiObject): boolean {
  if (before === now) return true;
  const { uid, generation } = now.metadata;
  return generation !== undefined && generation === before.metadata.generation && uid === before.metadata.uid;
}

function areSame(before: readonly ApiObject[], now: readonly ApiObject[]): boolean {
  return before.length === now.length && now.every((binding, i) => binding === before[i]);
}
