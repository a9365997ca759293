import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import { assert } from "#base/assert.ts";

/** The stores, for what is made before them and uses them when requests are served. */
export interface LazyStores {
  readonly stores: Stores;
  /** Asked for when requests are served, not before. */
  registry(): StoreRegistry;
  /** From now on they are there. */
  set(registry: StoreRegistry): void;
}

/** The stores exist after the resources that want to use them. */
export function lazyStores(): LazyStores {
  let actual: StoreRegistry | undefined;
  const registry = (): StoreRegistry => {
    assert(actual !== undefined, "stores are used only when requests are served");
    return actual;
  };
  return {
    stores: {
      of: (group, plural) => registry().of(group, plural),
      follow: (group, plural) => registry().follow(group, plural),
      has: (group, plural) => actual?.has?.(group, plural) ?? true,
    },
    registry,
    set: (made) => {
      actual = made;
    },
  };
}
