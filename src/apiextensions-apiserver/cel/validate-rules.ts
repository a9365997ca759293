import type { JSONSchemaProps, ValidationRule } from "#api/generated/apiextensions/v1.ts";
import { UNLIMITED } from "#apimachinery/cel/cost/range.ts";
import type { KubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { type DeclaredType, declaredType } from "#apimachinery/cel/schema/declared-type.ts";
import { escapeName } from "#apimachinery/cel/schema/escape.ts";
import { type FieldError, forbidden, internalError, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { additionalOf, byName, itemsOf } from "../schema/walk.ts";
import { type CompiledRule, compileRules } from "./compile-rules.ts";
import { costMessage } from "./cost-message.ts";
import { TotalCost } from "./total-cost.ts";

/** The most that one rule can be estimated to cost, for all values that it is held against. */
const RULE_COST_MAX = 10_000_000;

interface Place {
  readonly path: FieldPath;
  /** Undefined where expressions cannot be used. */
  readonly type: DeclaredType | undefined;
  /** How many values of the schema there can be; undefined without a limit. */
  readonly cardinality: number | undefined;
  /** Above here, old values are not known for new ones. */
  readonly uncorrelated: FieldPath | undefined;
}

/**
 * Whether the expressions of a version's schema compile, and whether they cost too much; their other parts are looked at
 * elsewhere. The schema is structural. Upstream's `ValidateCustomResourceDefinitionOpenAPISchema` with a CEL context.
 */
export function validateRuleExpressions(
  root: JSONSchemaProps,
  path: FieldPath,
  cel: KubernetesCel,
  isValid: (path: FieldPath) => boolean,
): FieldError[] {
  const total = new TotalCost();
  const walk = new Walk(cel, total, isValid);
  const place: Place = { path, type: declaredType(root, true), cardinality: 1, uncorrelated: undefined };
  const errors = walk.schema(root, place);
  return [...errors, ...total.errors(path)];
}

class Walk {
  readonly #cel: KubernetesCel;
  readonly #total: TotalCost;
  readonly #isValid: (path: FieldPath) => boolean;

  constructor(cel: KubernetesCel, total: TotalCost, isValid: (path: FieldPath) => boolean) {
    this.#cel = cel;
    this.#total = total;
    this.#isValid = isValid;
  }

  schema(schema: JSONSchemaProps, place: Place): FieldError[] {
    return [
      ...this.#additional(schema, place),
      ...this.#properties(schema, place),
      ...this.#items(schema, place),
      ...this.#own(schema, place),
    ];
  }

  #additional(schema: JSONSchemaProps, place: Place): FieldError[] {
    const values = additionalOf(schema);
    if (values === undefined) return [];
    const path = place.path.child("additionalProperties");
    return this.schema(values, {
      ...place,
      path,
      type: typeWithin(values, place.type?.element),
      cardinality: multiply(place, schema),
    });
  }

  #properties(schema: JSONSchemaProps, place: Place): FieldError[] {
    return byName(schema.properties).flatMap(([name, property]) => {
      const path = place.path.child("properties").key(name);
      const escaped = escapeName(name);
      const known = escaped === undefined ? undefined : place.type?.fields?.get(escaped);
      const type = typeWithin(property, known);
      return this.schema(property, { ...place, path, type, cardinality: multiply(place, schema) });
    });
  }

  #items(schema: JSONSchemaProps, place: Place): FieldError[] {
    const items = itemsOf(schema);
    if (items === undefined) return [];
    const correlated = schema["x-kubernetes-list-type"] === "map";
    const uncorrelated = correlated ? place.uncorrelated : (place.uncorrelated ?? place.path);
    const type = typeWithin(items, place.type?.element);
    return this.schema(items, { path: place.path.child("items"), type, cardinality: multiply(place, schema), uncorrelated });
  }

  #own(schema: JSONSchemaProps, place: Place): FieldError[] {
    const rules = schema["x-kubernetes-validations"] ?? [];
    const path = place.path.child("x-kubernetes-validations");
    if (rules.length === 0 || !this.#isValid(place.path)) return [];
    if (place.type === undefined) {
      const why =
        "failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations";
      return [internalError(path, `internal error: ${why}`)];
    }
    return compileRules(schema, place.type, this.#cel).flatMap((compiled, index) =>
      this.#rule(compiled, path.index(index), place),
    );
  }

  #rule(compiled: CompiledRule, path: FieldPath, place: Place): FieldError[] {
    const { rule, error, messageError, message, messageMaxCost, usesOldSelf } = compiled;
    const errors: FieldError[] = [];
    const [rulePath, messagePath] = [path.child("rule"), path.child("messageExpression")];
    const cost = capped(compiled.maxCost * (place.cardinality ?? compiled.maxCardinality));
    if (cost > RULE_COST_MAX) errors.push(forbidden(rulePath, costMessage("estimated rule cost", cost, RULE_COST_MAX)));
    this.#total.add(rulePath, cost);
    if (error !== undefined) errors.push(invalid(rulePath, shownRule(rule), error));
    if (messageError !== undefined) errors.push(invalid(messagePath, shownRule(rule), messageError));
    else if (message !== undefined) {
      if (messageMaxCost > RULE_COST_MAX) {
        errors.push(forbidden(messagePath, costMessage("estimated messageExpression cost", messageMaxCost, RULE_COST_MAX)));
      }
      this.#total.add(messagePath, messageMaxCost);
    }
    if (usesOldSelf && place.uncorrelated !== undefined) {
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelated}`;
      errors.push(invalid(rulePath, rule.rule, detail));
    } else if (!usesOldSelf && rule.optionalOldSelf !== undefined) {
      errors.push(invalid(path.child("optionalOldSelf"), rule.optionalOldSelf, "may not be set if oldSelf is not used in rule"));
    }
    return errors;
  }
}

/** A property that expressions cannot reach from above may still have rules of its own. */
function typeWithin(schema: JSONSchemaProps, known: DeclaredType | undefined): DeclaredType | undefined {
  return known ?? declaredType(schema, schema["x-kubernetes-embedded-resource"] === true);
}

function capped(cost: number): number {
  return Number.isNaN(cost) ? 0 : Math.min(cost, UNLIMITED);
}

function multiply({ cardinality }: Place, schema: JSONSchemaProps): number | undefined {
  const most = maxElements(schema);
  return cardinality === undefined || most === undefined ? undefined : capped(cardinality * most);
}

function maxElements({ type, additionalProperties, maxProperties, maxItems }: JSONSchemaProps): number | undefined {
  if (type === "array") return maxItems === undefined ? undefined : Math.max(maxItems, 0);
  if (type === "object" && additionalProperties !== undefined)
    return maxProperties === undefined ? undefined : Math.max(maxProperties, 0);
  return 1;
}

/** A rule as errors show it: Go's JSON of upstream's internal type. */
function shownRule(rule: ValidationRule): object {
  return {
    Rule: rule.rule ?? "",
    Message: rule.message ?? "",
    MessageExpression: rule.messageExpression ?? "",
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? "",
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  };
}
