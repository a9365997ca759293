import type { LimitRange } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** LimitRanges, as served by v1. */
export const limitRanges: ResourceDefinition<LimitRange> = {
  group: "",
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
  singular: "limitrange",
  shortNames: ["limits"],
  scope: "Namespaced",
  storagePrefix: "limitranges",
  columns: PLAIN_COLUMNS,
  strategy: { allowCreateOnUpdate: true },
};
