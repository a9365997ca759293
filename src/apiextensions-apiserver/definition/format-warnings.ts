import type { CustomResourceDefinition, JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { schemaHas } from "../schema/walk.ts";
import { isKnownFormat } from "../validation/formats.ts";
import { internalSpec } from "./validation/internal-spec.ts";

/** Warns of formats that nothing checks, but for those that `old` had. Upstream's `WarningsOnCreate` and `WarningsOnUpdate`. */
export function formatWarnings(definition: CustomResourceDefinition, old?: CustomResourceDefinition): string[] {
  const known = new Set(old === undefined ? [] : unknownFormats(old));
  return unknownFormats(definition)
    .filter((format) => !known.has(format))
    .map((format) => `unrecognized format ${goQuote(format)}`);
}

function unknownFormats({ spec }: CustomResourceDefinition): string[] {
  const { common, versions = [] } = internalSpec(spec);
  const formats: string[] = [];
  const note = ({ type = "", format = "" }: JSONSchemaProps): boolean => {
    if (format !== "" && !isKnownFormat(type, format)) formats.push(format);
    return false;
  };
  for (const { schema } of [common, ...versions]) schemaHas(schema?.openAPIV3Schema, note);
  return formats;
}
