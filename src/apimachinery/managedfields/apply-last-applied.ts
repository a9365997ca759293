import type { ApiObject } from "../meta/api-object.ts";
import type { StructSchema } from "../schema/type-schema.ts";
import { configuredFields } from "./apply-field-set.ts";
import { typeFaults } from "./apply-validate.ts";
import { compareValues } from "./compare.ts";
import { rootPlan, structPlan } from "./field-plan.ts";
import { type FieldSet, subtractSets } from "./field-set.ts";
import { asMap, type JsonMap } from "./field-values.ts";

/** Where client-side apply keeps what it applied last. */
export const LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";
/** The manager that takes over from client-side apply. */
export const KUBECTL_MANAGER = "kubectl";
/** All annotations together (upstream's `TotalAnnotationSizeLimitB`). */
const ANNOTATIONS_BYTES_MAX: number = 256 * 1024;

/** The fields that client-side apply still owns: as it applied them last. Undefined when there are none to be found. */
export function lastAppliedFields(schema: StructSchema, live: ApiObject, apiVersion: string): FieldSet | undefined {
  const text = live.metadata.annotations?.[LAST_APPLIED_ANNOTATION];
  if (!text) return undefined;
  const applied = parseObject(text);
  if (applied === undefined || applied.apiVersion !== apiVersion || typeFaults(schema, applied) !== undefined) return undefined;
  const fields = configuredFields(structPlan(schema), applied);
  const comparison = compareValues(rootPlan(schema, []), applied, live, true);
  const { modified, added, removed } = comparison ?? {};
  return [modified, added, removed].reduce<FieldSet>((rest, set) => (set === undefined ? rest : subtractSets(rest, set)), fields);
}

function parseObject(text: string): JsonMap | undefined {
  try {
    return asMap(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Writes what was applied into the annotation, where the object has it: client-side apply can go on from there. */
export function updateLastApplied(object: ApiObject, config: JsonMap): void {
  const annotations = object.metadata.annotations;
  if (annotations === undefined || !annotations[LAST_APPLIED_ANNOTATION]) return;
  const updated: Record<string, string> = { ...annotations, [LAST_APPLIED_ANNOTATION]: goJson(withoutAnnotation(config)) };
  let bytes = 0;
  for (const [key, value] of Object.entries(updated)) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  if (bytes > ANNOTATIONS_BYTES_MAX) delete updated[LAST_APPLIED_ANNOTATION];
  object.metadata.annotations = updated;
}

function withoutAnnotation(config: JsonMap): JsonMap {
  const metadata = asMap(config.metadata);
  const annotations = asMap(metadata?.annotations);
  if (annotations === undefined) return config;
  const { [LAST_APPLIED_ANNOTATION]: _, ...rest } = annotations;
  return { ...config, metadata: { ...metadata, annotations: rest } };
}

/** JSON as Go's encoder writes maps: keys sorted, HTML escaped, a line break at the end. */
function goJson(value: unknown): string {
  const text = JSON.stringify(sorted(value));
  return `${text.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  const map = asMap(value);
  if (map === undefined) return value;
  return Object.fromEntries(
    Object.keys(map)
      .sort()
      .map((key) => [key, sorted(map[key])]),
  );
}
