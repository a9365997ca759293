import type { ResourceQuota } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { ownValue } from "#base/own-value.ts";
import { columnsOf } from "../../columns.ts";
import { roundedUp } from "../pod/defaults.ts";
import { validateResourceQuota, validateResourceQuotaUpdate, validateStatus } from "./validation.ts";

const column = columnsOf<ResourceQuota>("/resourcequotas");

/** Resource quotas. */
export const resourceQuotas: ResourceDefinition<ResourceQuota> = {
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  singular: "resourcequota",
  shortNames: ["quota"],
  scope: "Namespaced",
  storagePrefix: "resourcequotas",
  columns: [
    nameColumn,
    column("Request", "string", (o) => usage(o, false)),
    column("Limit", "string", (o) => usage(o, true)),
    ageColumn,
  ],
  strategy: {
    returnDeletedObject: true,
    setDefaults,
    validate: validateResourceQuota,
    validateUpdate: validateResourceQuotaUpdate,
  },
  subresources: { status: { type: "status", validateUpdate: validateStatus } },
};

function setDefaults(quota: Draft<ResourceQuota>): void {
  const { spec, status } = quota;
  if (spec?.hard) spec.hard = roundedUp(spec.hard);
  if (status?.hard) status.hard = roundedUp(status.hard);
  if (status?.used) status.used = roundedUp(status.used);
}

function usage(quota: ResourceQuota, limits: boolean): string {
  const { hard = {}, used = {} } = quota.status ?? {};
  return Object.keys(hard)
    .sort()
    .filter((name) => name.startsWith("limits") === limits)
    .map((name) => `${name}: ${ownValue(used, name) ?? "0"}/${hard[name]}`)
    .join(", ");
}
