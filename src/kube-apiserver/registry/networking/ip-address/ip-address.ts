import type { IPAddress } from "#api/generated/networking/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

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
  columns: PLAIN_COLUMNS,
  strategy: {},
};
