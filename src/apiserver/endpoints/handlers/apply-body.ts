import { badRequest } from "#apimachinery/api-errors/errors.ts";
import type { JsonMap } from "#apimachinery/managedfields/field-values.ts";
import { jsonKind } from "#apimachinery/patch/go-format.ts";
import { parseYamlOrJson } from "#apimachinery/schema/json-document.ts";
import type { ParsedYaml } from "#apimachinery/schema/yaml.ts";
import type { ResourceRequest } from "../response.ts";
import { parseWriteOptions, type WriteOptions } from "./write-options.ts";

/** The content type of server-side apply. */
export const APPLY_TYPE = "application/apply-patch+yaml";

/** A configuration out of a request, and how it is to be applied. */
export interface ApplyBody {
  readonly config: JsonMap;
  readonly options: WriteOptions;
  /** Complains of keys that stand twice: refuses them or warns, as the options say. To be called once the apply is known to work. */
  readonly checkDuplicates: () => void;
}

/** Reads an apply patch. Throws 400 and 422. */
export function readApplyBody(request: ResourceRequest): ApplyBody {
  const options = parseWriteOptions(request.query, "PatchOptions", request.userAgent, true);
  const { body } = request;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  const { value, duplicates } = decode(text);
  if (value !== null && (typeof value !== "object" || Array.isArray(value))) {
    const fault = `json: cannot unmarshal ${jsonKind(value)} into Go value of type map[string]interface {}`;
    throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${fault}`);
  }
  const checkDuplicates = (): void => {
    if (duplicates.length === 0 || options.fieldValidation === "Ignore") return;
    if (options.fieldValidation === "Strict") {
      const faults = `yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`;
      throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${faults}`);
    }
    for (const text of duplicates) if (!request.warnings.includes(text)) request.warnings.push(text);
  };
  return { config: (value ?? {}) as JsonMap, options, checkDuplicates };
}

function decode(text: string): ParsedYaml {
  try {
    return parseYamlOrJson(text);
  } catch (error) {
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error instanceof Error ? error.message : error}`);
  }
}
