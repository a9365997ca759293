import type { ApiObject } from "#apimachinery/meta/api-object.ts";

/** Names of `events.k8s.io/v1` beside those of the core group. */
const RENAMED = [
  ["regarding", "involvedObject"],
  ["note", "message"],
  ["reportingController", "reportingComponent"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
] as const;

/** From `events.k8s.io/v1` to `v1`. */
export function toCoreEvent(event: ApiObject): ApiObject {
  return renamed(event, "v1", new Map(RENAMED));
}

/** From `v1` to `events.k8s.io/v1`. */
export function fromCoreEvent(event: ApiObject): ApiObject {
  return renamed(event, "events.k8s.io/v1", new Map(RENAMED.map(([name, core]) => [core, name])));
}

function renamed(event: ApiObject, apiVersion: string, names: ReadonlyMap<string, string>): ApiObject {
  const out: ApiObject = { metadata: event.metadata };
  for (const [name, value] of Object.entries(event)) out[names.get(name) ?? name] = value;
  out.apiVersion = apiVersion;
  return out;
}
