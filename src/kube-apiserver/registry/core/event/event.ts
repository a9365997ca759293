import type { Event } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import type { RegistryModules } from "../../modules.ts";
import { eventColumns } from "./columns.ts";
import { fromCoreEvent, toCoreEvent } from "./conversion.ts";
import { coreEventFields, newEventFields } from "./selectable-fields.ts";
import { validateEvent, validateEventUpdate } from "./validation.ts";

/** How long an event is kept after its last write where `--event-ttl` does not say. */
const EVENT_TTL_SECONDS = 3600;

/** Events: one set of stored objects that both the core group and `events.k8s.io` serve. */
export function events({
  eventTtlSeconds = EVENT_TTL_SECONDS,
}: Pick<RegistryModules, "eventTtlSeconds"> = {}): ResourceDefinition<Event> {
  return {
    group: "",
    version: "v1",
    otherVersions: [
      {
        group: "events.k8s.io",
        version: "v1",
        selectableFields: newEventFields,
        toStorage: toCoreEvent,
        fromStorage: fromCoreEvent,
      },
    ],
    kind: "Event",
    plural: "events",
    singular: "event",
    shortNames: ["ev"],
    scope: "Namespaced",
    storagePrefix: "events",
    columns: eventColumns,
    selectableFields: coreEventFields,
    // Of one object's events `kubectl describe` asks.
    indexedFields: ["involvedObject.uid"],
    readSeldom: true,
    strategy: {
      allowCreateOnUpdate: true,
      // Which names are good depends on the group that is asked: see validation.
      validateName: () => [],
      validate: validateEvent,
      validateUpdate: validateEventUpdate,
      ttlSeconds: () => eventTtlSeconds,
      // Events own nothing.
      defaultPropagation: "Unsupported",
    },
  };
}
