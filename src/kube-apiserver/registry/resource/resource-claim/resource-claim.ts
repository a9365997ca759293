import type { ResourceClaim } from "#api/generated/resource/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import type { RegistryModules } from "../../modules.ts";
import { adminAccessErrors, adminStatusErrors } from "../admin-access.ts";
import { setClaimDefaults } from "../request-defaults.ts";
import { v1beta1Claims } from "../v1beta1-conversion.ts";
import { validateResourceClaimStatus } from "./status-validation.ts";
import { validateResourceClaim, validateResourceClaimUpdate } from "./validation.ts";

const column = columnsOf<ResourceClaim>("resource.k8s.io/resourceclaims");

/** ResourceClaims, as served by resource.k8s.io/v1. */
export function resourceClaims({ stores }: Pick<RegistryModules, "stores">): ResourceDefinition<ResourceClaim> {
  return {
    group: "resource.k8s.io",
    version: "v1",
    otherVersions: [{ version: "v1beta2" }, v1beta1Claims],
    kind: "ResourceClaim",
    plural: "resourceclaims",
    singular: "resourceclaim",
    scope: "Namespaced",
    storagePrefix: "resourceclaims",
    columns: [nameColumn, column("State", "string", shownState), ageColumn],
    strategy: {
      load: async () => void (await loadKubernetesCel()),
      setDefaults: ({ spec }) => setClaimDefaults(spec),
      validate: (claim) => [
        ...adminAccessErrors(claim.spec, claim.metadata.namespace ?? "", stores),
        ...validateResourceClaim(claim),
      ],
      validateUpdate: validateResourceClaimUpdate,
      returnDeletedObject: true,
    },
    subresources: {
      status: {
        type: "status",
        keepsMetadata: "all",
        prepareForUpdate: (claim, old) => {
          claim.spec = deepCopy(old.spec) as Draft<ResourceClaim["spec"]>;
          dropGivenBackDevices(claim, old);
        },
        validateUpdate: (claim, old) => [...adminStatusErrors(claim, old, stores), ...validateResourceClaimStatus(claim, old)],
      },
    },
  };
}

/** What drivers say of devices goes with these. Upstream's `dropDeallocatedStatusDevices`. */
function dropGivenBackDevices({ status }: Draft<ResourceClaim>, old: ResourceClaim): void {
  if (!status?.devices) return;
  const key = (of: { driver?: string; pool?: string; device?: string; shareID?: string }): string =>
    JSON.stringify([of.driver, of.pool, of.device, of.shareID]);
  const kept = new Set(status.allocation?.devices?.results?.map(key));
  const gone = new Set(old.status?.allocation?.devices?.results?.map(key).filter((id) => !kept.has(id)));
  status.devices = status.devices.filter((device) => !gone.has(key(device)));
  if (status.devices.length === 0) delete status.devices;
}

/** Upstream's `resourceClaimState`. */
function shownState({ metadata, status }: ResourceClaim): string {
  const states: string[] = [];
  if (metadata.deletionTimestamp) states.push("deleted");
  if (status?.allocation) states.push("allocated");
  else if (!metadata.deletionTimestamp) states.push("pending");
  if (status?.reservedFor?.length) states.push("reserved");
  return states.join(",");
}
