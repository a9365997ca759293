import type { ServiceCIDR } from "#api/generated/networking/v1.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { ensure } from "./reconcile.ts";

/**
 * Makes the default ServiceCIDR. One that is there stays as it is, but that a second network, of the other family, is added where
 * its only one is the first that is wanted: so that a cluster becomes one of two families (upstream's `defaultservicecidr`).
 */
export async function ensureServiceCidr(stores: Stores, wanted: ServiceCIDR, context: RequestContext): Promise<void> {
  const { name = "" } = wanted.metadata;
  const store = stores.of<ServiceCIDR>("networking.k8s.io", "servicecidrs");
  const present = store.cached("", name);
  if (present === undefined) return await ensure(stores, "networking.k8s.io", "servicecidrs", wanted, context);
  if (!isAddition(present.spec?.cidrs ?? [], wanted.spec?.cidrs ?? [])) return;
  const change = (draft: { spec?: unknown }): void => {
    draft.spec = structuredClone(wanted.spec);
  };
  await store.update("", name, change, context, { fieldManager: "kube-apiserver" });
}

function isAddition(present: readonly string[], wanted: readonly string[]): boolean {
  return present.length === 1 && wanted.length === 2 && present[0] === wanted[0];
}
