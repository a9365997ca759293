import { trackUpdate } from "#apimachinery/managedfields/update.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { parseWriteOptions } from "#apiserver/endpoints/handlers/write-options.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { assert } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";

/** What the server alone sets: upstream's `WipeObjectMetaSystemFields`. */
const SYSTEM_FIELDS = ["creationTimestamp", "uid", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] as const;

/** Takes the system's metadata away, and writes down who posted a review, as upstream does even for what it does not store. */
export function trackReview(body: ApiObject, group: string, kind: string, context: RequestContext, clock: Clock): void {
  const options = parseWriteOptions(context.query, "CreateOptions", context.userAgent);
  const schema = schemaFor(group, "v1", kind);
  assert(schema !== undefined, `no type ${kind} in ${group}/v1`);
  for (const field of SYSTEM_FIELDS) delete body.metadata[field];
  if (context.info.namespace === "") delete body.metadata.namespace;
  trackUpdate({
    schema,
    object: body,
    manager: options.fieldManager,
    apiVersion: formatGroupVersion(group, "v1"),
    subresource: context.info.subresource,
    now: formatTime(clock.now()),
  });
}
