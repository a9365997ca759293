import type { Event, ObjectReference } from "#api/generated/core/v1.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";

const REFERENCE_FIELDS = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"] as const;

function referenceFields<T>(
  prefix: string,
  read: (object: T) => ObjectReference | undefined,
): Record<string, (object: T) => string> {
  return Object.fromEntries(REFERENCE_FIELDS.map((field) => [`${prefix}.${field}`, (object: T) => read(object)?.[field] ?? ""]));
}

/** Field selectors of core events. */
export const coreEventFields: Readonly<Record<string, (event: Event) => string>> = {
  ...referenceFields<Event>("involvedObject", (event) => event.involvedObject),
  reason: (event) => event.reason ?? "",
  reportingComponent: (event) => event.reportingComponent ?? "",
  source: (event) => event.source?.component || (event.reportingComponent ?? ""),
  type: (event) => event.type ?? "",
};

function text(event: ApiObject, field: string): string {
  const value = event[field];
  return typeof value === "string" ? value : "";
}

/** Field selectors of `events.k8s.io` events. */
export const newEventFields: Readonly<Record<string, (event: ApiObject) => string>> = {
  ...referenceFields<ApiObject>("regarding", (event) => event.regarding as ObjectReference | undefined),
  reason: (event) => text(event, "reason"),
  reportingController: (event) => text(event, "reportingController"),
  type: (event) => text(event, "type"),
};
