import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import { applyConfiguration, objectText } from "#apimachinery/managedfields/apply.ts";
import { jsonEqual } from "#apimachinery/managedfields/compare.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import { normalizeObject } from "#apimachinery/schema/normalize.ts";
import { decodeApplied } from "../writes/apply-resource.ts";
import type { ApplyBody } from "./apply-body.ts";
import type { ExpectedKind } from "./body.ts";
import type { ResourceEndpoint, Target } from "./resource-handler.ts";

/** A configuration applied to a view such as `scale`, whose managers `current` tells in its metadata. */
export function applyToView(
  endpoint: ResourceEndpoint,
  expected: ExpectedKind,
  { config, options, checkDuplicates }: ApplyBody,
  target: Target,
  current: ApiObject,
): ApiObject {
  const apiVersion = formatGroupVersion(expected.group, expected.version);
  const live = normalizeObject(expected.schema, current);
  const { object, managedFields } = applyConfiguration({
    ...expected,
    apiVersion,
    resetFields: [],
    live,
    config,
    manager: options.fieldManager,
    subresource: target.subresource,
    force: options.force,
    now: endpoint.store.core.now(),
    versions: () => undefined,
    convert: (value) => value,
  });
  // Upstream's converter of custom resources does not know the kinds of their views.
  if (endpoint.form.schema.unstructured !== undefined && !jsonEqual(live, object)) {
    const reason = `request to convert CR to an invalid group/version: ${apiVersion}`;
    throw plainError(`failed to convert new object (${objectText(config)}) to proper version: ${reason}`);
  }
  const changed = decodeApplied(object, { ...expected, apiVersion }, config);
  delete changed.metadata.managedFields;
  if (managedFields !== undefined) changed.metadata.managedFields = managedFields;
  checkDuplicates();
  return changed;
}
