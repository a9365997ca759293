import type { IPAddress } from "#api/generated/networking/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { ipAddressNameErrors, validateIpAddress, validateIpAddressUpdate } from "./validation.ts";

const column = columnsOf<IPAddress>("networking.k8s.io/ipaddresses");

/** IPAddresses, as served by networking.k8s.io/v1. */
export const ipAddresses: ResourceDefinition<IPAddress> = {
  group: "networking.k8s.io",
  version: "v1",
  otherVersions: [{ version: "v1beta1" }],
  kind: "IPAddress",
  plural: "ipaddresses",
  singular: "ipaddress",
  shortNames: ["ip"],
  scope: "Cluster",
  storagePrefix: "ipaddresses",
  columns: [nameColumn, column("ParentRef", "string", shownParent)],
  strategy: {
    generateName: (base) => base,
    validateName: ipAddressNameErrors,
    validate: validateIpAddress,
    validateUpdate: validateIpAddressUpdate,
  },
};

function shownParent({ spec }: IPAddress): string {
  if (!spec?.parentRef) return "<none>";
  const { group, resource, namespace, name } = spec.parentRef;
  return [group ? `${resource}.${group}` : (resource ?? ""), ...(namespace ? [namespace] : []), name ?? ""].join("/");
}
