import type { Event, ObjectReference } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1123Subdomain, type NameValidator, nameIsDnsSubdomain, nameIsPathSegment } from "#apimachinery/validation/names.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { invalidEach, qualifiedNameErrors } from "../pod/validation/field-checks.ts";

const NAME_LENGTH_MAX = 128;
const MESSAGE_LENGTH_MAX = 1024;
const UNSET_DETAIL = "needs to be unset";

/** The `events.k8s.io` group holds events to stricter rules than the core group, whose clients are older. */
function isNewApi(context: RequestContext): boolean {
  return context.info.apiGroup === "events.k8s.io";
}

/** Upstream's `ValidateEventCreate`. */
export function validateEvent(event: Event, context: RequestContext): FieldError[] {
  const errors = validateLegacy(event, context);
  errors.push(...nameErrors(event, isNewApi(context) ? nameIsDnsSubdomain : nameIsPathSegment));
  if (!isNewApi(context)) return errors;
  errors.push(...validateSeries(event));
  if (!event.eventTime) errors.push(required(FieldPath.of("eventTime"), ""));
  if (event.type !== "Normal" && event.type !== "Warning") {
    errors.push(invalid(FieldPath.of("type"), "", `has invalid value: ${event.type ?? ""}`));
  }
  if (event.firstTimestamp) errors.push(invalid(FieldPath.of("firstTimestamp"), "", UNSET_DETAIL));
  if (event.lastTimestamp) errors.push(invalid(FieldPath.of("lastTimestamp"), "", UNSET_DETAIL));
  if (event.count) errors.push(invalid(FieldPath.of("count"), "", UNSET_DETAIL));
  if (event.source?.component || event.source?.host) errors.push(invalid(FieldPath.of("source"), "", UNSET_DETAIL));
  return errors;
}

/** Upstream's `ValidateEventUpdate` without the metadata rules: but for the series, an event of the new API stays as it is. */
export function validateEventUpdate(event: Event, old: Event, context: RequestContext): FieldError[] {
  const errors = validateLegacy(event, context);
  if (!isNewApi(context)) return errors;
  if (!semanticEqual(event.series, old.series)) errors.push(...validateSeries(event));
  const keep = (field: string, value: unknown, before: unknown): void => {
    if (!semanticEqual(value, before)) errors.push(invalid(FieldPath.of(field), value, "field is immutable"));
  };
  keep("involvedObject", internalReference(event.involvedObject), internalReference(old.involvedObject));
  for (const field of ["reason", "message"] as const) keep(field, event[field] ?? "", old[field] ?? "");
  keep("source", internalSource(event), internalSource(old));
  for (const field of ["firstTimestamp", "lastTimestamp"] as const) keep(field, event[field] ?? null, old[field] ?? null);
  keep("count", event.count ?? 0, old.count ?? 0);
  // Upstream looks at the reason twice.
  for (const field of ["reason", "type"] as const) keep(field, event[field] ?? "", old[field] ?? "");
  keep("eventTime", event.eventTime ?? null, old.eventTime ?? null);
  keep("action", event.action ?? "", old.action ?? "");
  keep("related", event.related ? internalReference(event.related) : null, old.related ? internalReference(old.related) : null);
  keep("reportingController", event.reportingComponent ?? "", old.reportingComponent ?? "");
  keep("reportingInstance", event.reportingInstance ?? "", old.reportingInstance ?? "");
  return errors;
}

function nameErrors(event: Event, check: NameValidator): FieldError[] {
  const { name = "", generateName = "" } = event.metadata;
  const path = FieldPath.of("metadata");
  const errors = generateName === "" ? [] : invalidEach(path.child("generateName"), generateName, check(generateName, true));
  return name === "" ? errors : [...errors, ...invalidEach(path.child("name"), name, check(name, false))];
}

function internalReference(reference: ObjectReference | undefined): Record<string, string> {
  return {
    Kind: reference?.kind ?? "",
    Namespace: reference?.namespace ?? "",
    Name: reference?.name ?? "",
    UID: reference?.uid ?? "",
    APIVersion: reference?.apiVersion ?? "",
    ResourceVersion: reference?.resourceVersion ?? "",
    FieldPath: reference?.fieldPath ?? "",
  };
}

function internalSource(event: Event): Record<string, string> {
  return { Component: event.source?.component ?? "", Host: event.source?.host ?? "" };
}

function validateSeries(event: Event): FieldError[] {
  if (!event.series) return [];
  const errors: FieldError[] = [];
  if ((event.series.count ?? 0) < 2) errors.push(invalid(FieldPath.of("series.count"), "", "should be at least 2"));
  if (!event.series.lastObservedTime) errors.push(required(FieldPath.of("series.lastObservedTime"), ""));
  return errors;
}

function validateLegacy(event: Event, context: RequestContext): FieldError[] {
  const errors = event.eventTime ? validateTimed(event, context) : validateUntimed(event);
  const namespace = event.metadata.namespace ?? "";
  return [...errors, ...invalidEach(FieldPath.of("namespace"), namespace, isDns1123Subdomain(namespace))];
}

function namespaceMismatch(event: Event): FieldError {
  const path = FieldPath.of("involvedObject", "namespace");
  return invalid(path, event.involvedObject?.namespace ?? "", "does not match event.namespace");
}

function validateUntimed(event: Event): FieldError[] {
  const involved = event.involvedObject?.namespace ?? "";
  const namespace = event.metadata.namespace ?? "";
  // Events about cluster-scoped objects go to the default namespace.
  const matches = involved === "" ? namespace === "" || namespace === "default" : namespace === involved;
  return matches ? [] : [namespaceMismatch(event)];
}

function validateTimed(event: Event, context: RequestContext): FieldError[] {
  const errors: FieldError[] = [];
  const namespace = event.metadata.namespace ?? "";
  if (!event.involvedObject?.namespace && namespace !== "default" && namespace !== "kube-system")
    errors.push(namespaceMismatch(event));
  const controller = event.reportingComponent ?? "";
  const controllerPath = FieldPath.of(isNewApi(context) ? "reportingController" : "reportingComponent");
  if (controller === "") errors.push(required(controllerPath, ""));
  errors.push(...qualifiedNameErrors(controller, controllerPath));
  for (const field of ["reportingInstance", "action", "reason"] as const) {
    const value = event[field] ?? "";
    if (value === "") errors.push(required(FieldPath.of(field), ""));
    errors.push(...tooLongErrors(field, value, NAME_LENGTH_MAX));
  }
  return [...errors, ...tooLongErrors("message", event.message ?? "", MESSAGE_LENGTH_MAX)];
}

function tooLongErrors(field: string, value: string, max: number): FieldError[] {
  if (Buffer.byteLength(value) <= max) return [];
  return [invalid(FieldPath.of(field), "", `can have at most ${max} characters`)];
}
