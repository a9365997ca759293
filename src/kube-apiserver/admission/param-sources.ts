import type { ParamKind } from "#api/generated/admissionregistration/v1.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { ParamSource, ParamSources } from "#apiserver/admission/policy/policy-params.ts";
import { derived } from "#apiserver/derived.ts";
import type { GenericStore } from "#apiserver/registry/store/generic-store.ts";
import { toServedForm } from "#apiserver/registry/store/served-form.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";

type StoresByKind = ReadonlyMap<string, readonly GenericStore[]>;

/**
 * The objects of kinds that are stored, for policies that take parameters from them. `stores` is asked when requests come, not before.
 * There may be thousands of kinds, and each request that such a policy is about asks for one: it is found without asking all.
 */
export function paramSources(stores: () => StoreRegistry): ParamSources {
  const byKind = derived(
    () => stores().version,
    () => storesByKind(stores()),
  );
  return (kind) => paramSource(byKind(), kind);
}

/** A group and a kind as one text. No group has a slash. */
const groupKind = (group: string, kind: string): string => `${group}/${kind}`;

function storesByKind(stores: StoreRegistry): StoresByKind {
  const byKind = new Map<string, GenericStore[]>();
  for (const store of stores.all()) {
    const key = groupKind(store.definition.group, store.definition.kind);
    const others = byKind.get(key);
    if (others === undefined) byKind.set(key, [store]);
    else others.push(store);
  }
  return byKind;
}

/** The objects of a kind, in the version that the policy names. */
function paramSource(stores: StoresByKind, { apiVersion = "", kind = "" }: ParamKind): ParamSource | undefined {
  const slash = apiVersion.indexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  for (const store of stores.get(groupKind(group, kind)) ?? []) {
    const { definition, forms } = store;
    const form = forms.find((each) => each.group === group && each.version === version);
    if (form === undefined) continue;
    const own = store.versionStores.get(version);
    const served = (object: ApiObject): ApiObject =>
      own !== undefined || form.other === undefined ? object : toServedForm(form, object);
    return {
      namespaced: definition.scope === "Namespaced",
      get: (namespace, name) => {
        const found = (own ?? store).cached(namespace, name);
        return found && served(found);
      },
      list: (namespace) => (own ?? store).listCached(namespace).map(served),
    };
  }
  return undefined;
}
