import type { Event } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** Events, as served by v1. */
export const events: ResourceDefinition<Event> = {
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  singular: "event",
  shortNames: ["ev"],
  scope: "Namespaced",
  storagePrefix: "events",
  columns: PLAIN_COLUMNS,
  strategy: { allowCreateOnUpdate: true },
};
