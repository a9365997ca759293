import type { Endpoints, Service } from "#api/generated/core/v1.ts";
import { nameIsDnsLabel } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition, Strategy } from "#apiserver/registry/resource.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { internalContext } from "../../internal-context.ts";
import type { RegistryModules } from "../../modules.ts";
import { serviceProxy } from "../proxy/proxy-subresource.ts";
import { ServiceAllocation } from "./allocation/service-allocation.ts";
import { serviceColumns } from "./columns.ts";
import { setServiceDefaults } from "./defaults.ts";
import { initIpFamilyFields } from "./ip-families.ts";
import { validateServiceStatus } from "./status-validation.ts";
import { unallocatedErrors } from "./traffic-validation.ts";
import { dropTypeDependentFields, dropUnusedInternalPolicy, normalizeClusterIps, patchAllocatedValues } from "./update-fields.ts";
import { validateService, validateServiceUpdate } from "./validation.ts";
import { serviceStatusWarnings, serviceWarnings } from "./warnings.ts";

/** Allocation fails before validation does, so it has to be known before the store says so. */
function isDryRun(context: RequestContext): boolean {
  return context.query.getAll("dryRun").includes("All");
}

/** Services, with cluster IPs and node ports out of the server's ranges. */
export function services(modules: RegistryModules): ResourceDefinition<Service> {
  const allocation = new ServiceAllocation(modules);
  const strategy: Strategy<Service> = {
    allowCreateOnUpdate: true,
    validateName: nameIsDnsLabel,
    setDefaults: setServiceDefaults,
    prepareForCreate: (service, context) => {
      if (context.info.subresource !== "") return;
      normalizeClusterIps(service, undefined);
      initIpFamilyFields(service, undefined, allocation.families);
      allocation.check(service, isDryRun(context));
      dropUnusedInternalPolicy(service);
    },
    validate: (service, { info }) => [
      ...validateService(service),
      ...(info.subresource === "" ? [] : unallocatedErrors(service)),
    ],
    prepareForUpdate: (service, old, context) => {
      patchAllocatedValues(service, old);
      normalizeClusterIps(service, old);
      initIpFamilyFields(service, old, allocation.families);
      allocation.checkChange(service, old, isDryRun(context));
      dropTypeDependentFields(service, old);
      dropUnusedInternalPolicy(service);
    },
    validateUpdate: validateServiceUpdate,
    returnDeletedObject: true,
    warningsOnCreate: serviceWarnings,
    warningsOnUpdate: serviceWarnings,
    beginCreate: (service, context, dryRun) => allocation.create(service, context, dryRun),
    beginUpdate: (service, old, context, dryRun) => allocation.update(service, old, context, dryRun),
    afterDelete: (service) => {
      allocation.release(service);
      // A new Service of the name shall not begin with the old one's addresses.
      const { namespace = "", name = "" } = service.metadata;
      modules.stores
        .of<Endpoints>("", "endpoints")
        .delete(namespace, name, {}, internalContext())
        .catch(() => undefined);
    },
  };
  return {
    group: "",
    version: "v1",
    kind: "Service",
    plural: "services",
    singular: "service",
    shortNames: ["svc"],
    categories: ["all"],
    scope: "Namespaced",
    storagePrefix: "services/specs",
    columns: serviceColumns,
    selectableFields: {
      "spec.clusterIP": (service) => service.spec.clusterIP ?? "",
      "spec.type": (service) => service.spec.type ?? "",
    },
    strategy,
    subresources: {
      proxy: serviceProxy(modules),
      status: { type: "status", validateUpdate: validateServiceStatus, warningsOnUpdate: serviceStatusWarnings },
    },
  };
}
