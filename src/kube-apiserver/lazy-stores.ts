import type { Stores } from "#apiserver/registry/resource-set.ts";
import { assert } from "#base/assert.ts";

/** The stores exist after the resources that want to use them. */
export function lazyStores(): { readonly stores: Stores; set(stores: Stores): void } {
  let actual: Stores | undefined;
  return {
    stores: {
      of(group, plural) {
        assert(actual !== undefined, "stores are used only when requests are served");
        return actual.of(group, plural);
      },
      has: (group, plural) => actual?.has?.(group, plural) ?? true,
    },
    set: (stores) => {
      actual = stores;
    },
  };
}
