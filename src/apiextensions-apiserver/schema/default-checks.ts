import { loadedKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { compileRuleEvaluator } from "../cel/evaluate-rules.ts";
import { sortedKeys } from "../sorted-keys.ts";
import { validateEmbedded } from "../validation/embedded.ts";
import type { PatternCompiler } from "../validation/patterns.ts";
import { validateAgainstSchema } from "../validation/schema-validator.ts";
import { coerceEmbedded } from "./coerce.ts";
import { prune } from "./prune.ts";
import { isMetaField, type Structural } from "./structural.ts";
import { schemaHas } from "./walk.ts";

/** Puts a value where it stands in the resource around it, which has a kind and an apiVersion. */
type Surround = (value: unknown) => Record<string, unknown>;

interface Context {
  /** The resource that the schema is part of. */
  readonly root: Structural;
  readonly surround: Surround;
  /** The schema is of a part of metadata, which only as a whole can be judged. */
  readonly insideMeta: boolean;
  readonly requirePruned: boolean;
  readonly patterns: PatternCompiler;
}

/**
 * Holds the defaults in a structural schema against the schema itself. Upstream's `defaulting.ValidateDefaults`.
 */
export function validateDefaults(
  schema: Structural,
  path: FieldPath,
  requirePruned: boolean,
  patterns: PatternCompiler,
): FieldError[] {
  const root: Structural = { ...schema, embeddedResource: true };
  return validate(root, path, { root, surround: withType, insideMeta: false, requirePruned, patterns });
}

function withType(value: unknown): Record<string, unknown> {
  const resource = value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
  return { kind: "Validation", apiVersion: "validation/v1", ...resource };
}

function validate(schema: Structural, path: FieldPath, given: Context): FieldError[] {
  const { embeddedResource: embedded } = schema;
  const context: Context = embedded ? { ...given, insideMeta: false, surround: withType, root: schema } : given;
  const errors: FieldError[] = [];
  if (schema.default !== undefined && schema.default !== null) {
    const defaultPath = path.child("default");
    errors.push(...(context.insideMeta ? partOfMeta(schema, defaultPath, context) : whole(schema, defaultPath, context)));
  }
  if (schema.items !== undefined) {
    const surround: Surround = (value) => context.surround([value]);
    errors.push(...validate(schema.items, path.child("items"), { ...context, surround }));
  }
  for (const [name, property] of [...schema.properties].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const insideMeta = context.insideMeta || (embedded && isMetaField(name));
    const surround: Surround = (value) => context.surround({ [name]: value });
    errors.push(...validate(property, path.child("properties").key(name), { ...context, insideMeta, surround }));
  }
  return errors;
}

function partOfMeta(schema: Structural, path: FieldPath, { root, surround, patterns }: Context): FieldError[] {
  const resource = surround(deepCopy(schema.default));
  const wrongType = coerceEmbedded(resource, root, { dropInvalid: false });
  const told = (errors: readonly FieldError[]): string => {
    const texts = errors.map(({ field, message }) => `${field}: ${message}`);
    return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
  };
  const wrong = wrongType === undefined ? validateEmbedded(root, resource) : [wrongType];
  if (wrong.length > 0) return [invalid(path, sortedKeys(schema.default), `must result in valid metadata: ${told(wrong)}`)];
  return against(schema, path, patterns);
}

function whole(schema: Structural, path: FieldPath, { requirePruned, patterns }: Context): FieldError[] {
  const value = deepCopy(schema.default);
  const errors: FieldError[] = [];
  if (requirePruned) {
    prune(value, schema);
    if (!semanticEqual(value, schema.default))
      errors.push(invalid(path, sortedKeys(schema.default), "must not have unknown fields"));
  }
  const copy = deepCopy(schema.default);
  const wrongType = coerceEmbedded(copy, schema, { dropInvalid: false }, path);
  if (wrongType !== undefined) return [...errors, wrongType];
  const embedded = validateEmbedded(schema, copy, path);
  return [...errors, ...(embedded.length > 0 ? embedded : against(schema, path, patterns))];
}

/** What changes from this default to itself is not asked: rules on transitions are left out. */
function against(schema: Structural, path: FieldPath, patterns: PatternCompiler): FieldError[] {
  const { props, embeddedResource } = schema;
  const wrong = validateAgainstSchema(props, schema.default, "", patterns);
  const hasRules = wrong.length === 0 && schemaHas(props, (one) => (one["x-kubernetes-validations"] ?? []).length > 0);
  const judge = hasRules ? compileRuleEvaluator(props, loadedKubernetesCel(), embeddedResource) : undefined;
  const errors = judge === undefined ? wrong : judge(schema.default, undefined).errors;
  return errors.map((error) => ({
    ...error,
    field: error.field === `${FieldPath.root}` ? `${path}` : `${path.child(error.field)}`,
  }));
}
