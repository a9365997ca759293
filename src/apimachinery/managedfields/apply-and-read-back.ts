import type { ApiObject } from "../meta/api-object.ts";
import { parseGroupVersion } from "../meta/api-object.ts";
import { decodeObject } from "../schema/decode.ts";
import { normalizeObject } from "../schema/normalize.ts";
import { schemaFor } from "../schema/registry.ts";
import { type Application, applyConfiguration } from "./apply.ts";
import type { JsonMap } from "./field-values.ts";

/** What tests and benches say otherwise than {@link applyAndReadBack} does. */
export type ApplyOptions = Partial<Pick<Application, "force" | "now" | "subresource" | "resetFields" | "versions" | "convert">>;

/** Applies a configuration and reads the outcome back, as a store would; for tests and benches. Throws for kinds that are not known. */
export function applyAndReadBack(
  live: ApiObject | undefined,
  config: JsonMap,
  manager: string,
  options: ApplyOptions = {},
): ApiObject {
  const { apiVersion, kind } = config as { readonly apiVersion: string; readonly kind: string };
  const { group, version } = parseGroupVersion(apiVersion);
  const schema = schemaFor(group, version, kind);
  if (schema === undefined) throw new Error(`there are no ${kind} of ${apiVersion}`);
  const { object, managedFields } = applyConfiguration({
    apiVersion,
    kind,
    schema,
    resetFields: ["status"],
    live,
    config,
    manager,
    subresource: "",
    force: false,
    now: "2026-01-01T00:00:00Z",
    versions: () => undefined,
    convert: (value) => value,
    ...options,
  });
  const decoded = decodeObject(schema, structuredClone(object)).object as unknown as ApiObject;
  delete decoded.metadata.managedFields;
  if (managedFields !== undefined) decoded.metadata.managedFields = managedFields;
  decoded.apiVersion = apiVersion;
  decoded.kind = kind;
  decoded.metadata.uid = "u";
  return normalizeObject(schema, decoded);
}
