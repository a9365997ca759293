import type { ServiceCIDR } from "#api/generated/networking/v1.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import type { Logger } from "#component-base/logging.ts";
import { DEFAULT_SERVICE_CIDR } from "../registry/core/service/allocation/usable-networks.ts";
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

/** Logs {@link serviceCidrMismatch}. */
export function tellServiceCidrMismatch(stores: Stores, ranges: readonly string[], logger: Logger): void {
  const store = stores.of<ServiceCIDR>("networking.k8s.io", "servicecidrs");
  const mismatch = serviceCidrMismatch(store.cached("", DEFAULT_SERVICE_CIDR), ranges);
  if (mismatch !== undefined) logger.warn({ flag: "--service-cluster-ip-range" }, mismatch);
}

/**
 * What to tell where the default ServiceCIDR is another than the server's flag says, so that Services get addresses out of it and not out
 * of the flag's (upstream's `KubernetesDefaultServiceCIDRInconsistent`); undefined where it is the same.
 */
export function serviceCidrMismatch(present: ServiceCIDR | undefined, ranges: readonly string[]): string | undefined {
  const cidrs = present?.spec?.cidrs ?? ranges;
  if (cidrs.join() === ranges.join()) return undefined;
  return `The default ServiceCIDR [${cidrs.join(" ")}] does not match the controller flag configurations [${ranges.join(" ")}]`;
}

function isAddition(present: readonly string[], wanted: readonly string[]): boolean {
  return present.length === 1 && wanted.length === 2 && present[0] === wanted[0];
}
