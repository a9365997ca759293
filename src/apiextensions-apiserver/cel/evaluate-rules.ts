import type { JSONSchemaProps, ValidationRule } from "#api/generated/apiextensions/v1.ts";
import type { KubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { COST_EXCEEDED } from "#apimachinery/cel/program.ts";
import { type DeclaredType, declaredType } from "#apimachinery/cel/schema/declared-type.ts";
import { escapeName } from "#apimachinery/cel/schema/escape.ts";
import { isEmbedded, itemSchema, valueSchema, withTypeMeta } from "#apimachinery/cel/schema/schema-shape.ts";
import { schemaValue } from "#apimachinery/cel/schema/schema-value.ts";
import type { Variables } from "#apimachinery/cel/steps.ts";
import { CelError, type CelValue, Optional } from "#apimachinery/cel/values.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { type CompiledRule, compileRules } from "./compile-rules.ts";
import { Correlated, Ratchet } from "./correlation.ts";
import { correlatedItem } from "./map-list.ts";
import { badType, errorFor, ruleText } from "./rule-errors.ts";
import { MESSAGE_BUDGET_SPENT, ruleMessage } from "./rule-message.ts";
import { pathOf } from "./rule-path.ts";

/** What all rules of one object may cost together. */
const OBJECT_COST_MAX = 10_000_000;

/** What one evaluation may cost. */
export const EVALUATION_COST_MAX = 1_000_000;

/** What rules say of an object. */
export interface Judgement {
  readonly errors: readonly FieldError[];
  /** Failures of what was not changed. */
  readonly warnings: readonly FieldError[];
}

/** Holds objects against the rules of a schema; `old` on updates. */
export type RuleEvaluator = (object: unknown, old: unknown) => Judgement;

/**
 * Compiles all rules of a schema; undefined when it has none. `isResource`: the schema is of whole resources, which have a
 * kind and a name. Upstream's `cel.NewValidator`.
 */
export function compileRuleEvaluator(schema: JSONSchemaProps, cel: KubernetesCel, isResource = true): RuleEvaluator | undefined {
  const root = compileNode(schema, schema, declaredType(schema, isResource), isResource, cel);
  if (root === undefined) return undefined;
  return (object, old) => {
    const run = new Run();
    const ratchet =
      old === undefined ? new Ratchet(undefined, undefined) : new Ratchet(new Correlated(object, old, schema), undefined);
    run.node(root, FieldPath.root, object, old ?? null, ratchet);
    return run;
  };
}

/** The rules at one place of a schema and below. */
interface Node {
  /** By which values are read. */
  readonly schema: JSONSchemaProps;
  /** Why no rule here can be used. */
  readonly problem: string | undefined;
  readonly rules: readonly CompiledRule[];
  readonly properties: ReadonlyMap<string, Node>;
  readonly values: Node | undefined;
  readonly items: Node | undefined;
  readonly allOf: readonly Node[];
}

/** `rules` is where rules stand, `schema` where values are described: apart within `allOf`. */
function compileNode(
  rules: JSONSchemaProps,
  schema: JSONSchemaProps,
  type: DeclaredType | undefined,
  isResource: boolean,
  cel: KubernetesCel,
): Node | undefined {
  const own = { ...schema, "x-kubernetes-validations": rules["x-kubernetes-validations"] ?? [] };
  const count = own["x-kubernetes-validations"].length;
  const within = (inner: JSONSchemaProps | undefined, described: JSONSchemaProps | undefined, known: DeclaredType | undefined) =>
    inner && described && compileNode(inner, described, known, isEmbedded(described), cel);
  const node: Node = {
    schema: isResource ? withTypeMeta(schema) : schema,
    problem: count > 0 && type === undefined ? "failed to convert to declType for CEL validation rules" : undefined,
    rules: type === undefined ? [] : compileRules(own, type, cel),
    properties: compileProperties(rules, schema, type, cel),
    values: within(valueSchema(rules), valueSchema(schema), type?.element),
    items: within(itemSchema(rules), itemSchema(schema), type?.element),
    allOf: (rules.allOf ?? []).flatMap((nested) => compileNode(nested, schema, type, isResource, cel) ?? []),
  };
  const { problem, properties, values, items, allOf } = node;
  const empty =
    problem === undefined && node.rules.length === 0 && properties.size === 0 && !values && !items && allOf.length === 0;
  return empty ? undefined : node;
}

function compileProperties(
  rules: JSONSchemaProps,
  schema: JSONSchemaProps,
  type: DeclaredType | undefined,
  cel: KubernetesCel,
): Map<string, Node> {
  const nodes = new Map<string, Node>();
  for (const [name, property] of Object.entries(rules.properties ?? {})) {
    const { properties = {} } = schema;
    const described = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (described === undefined) continue;
    const escaped = escapeName(name);
    const known = escaped === undefined ? declaredType(described, isEmbedded(described)) : type?.fields?.get(escaped);
    // What has no type is left out as a whole.
    const node = known === undefined ? undefined : compileNode(property, described, known, isEmbedded(described), cel);
    if (node !== undefined) nodes.set(name, node);
  }
  return nodes;
}

/** Variables of a rule; values are made when they are asked for, and once. */
function variablesOf(schema: JSONSchemaProps, self: unknown, old: unknown, optional: boolean): Variables {
  const made = new Map<string, CelValue>();
  const make = (name: string): CelValue | undefined => {
    if (name === "self") return schemaValue(self, schema);
    if (name !== "oldSelf") return undefined;
    if (optional) return new Optional(old === null ? undefined : schemaValue(old, schema));
    return old === null ? undefined : schemaValue(old, schema);
  };
  return (name) => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const value = make(name);
    if (value !== undefined) made.set(name, value);
    return value;
  };
}

/** Ends a run: a budget is spent. */
class Spent extends CelError {}

class Run implements Judgement {
  readonly errors: FieldError[] = [];
  readonly warnings: FieldError[] = [];
  #budget = OBJECT_COST_MAX;

  node(node: Node, path: FieldPath, value: unknown, old: unknown, ratchet: Ratchet): void {
    try {
      this.#visit(node, path, value, old, ratchet);
    } catch (thrown) {
      if (!(thrown instanceof Spent)) throw thrown;
    }
  }

  #visit(node: Node, path: FieldPath, value: unknown, old: unknown, ratchet: Ratchet): void {
    if (value === null || value === undefined) return;
    this.#own(node, path, value, old ?? null, ratchet);
    for (const nested of node.allOf) this.#visit(nested, path, value, old, ratchet.inAllOf);
    if (Array.isArray(value)) this.#items(node, path, value, old, ratchet);
    else if (typeof value === "object") this.#members(node, path, value as Record<string, unknown>, old, ratchet);
  }

  #items({ items, schema }: Node, path: FieldPath, value: readonly unknown[], old: unknown, ratchet: Ratchet): void {
    if (items === undefined) return;
    value.forEach((item, at) => {
      this.#visit(items, path.index(at), item, correlatedItem(schema, old, item), ratchet.index(at));
    });
  }

  #members(
    { values, properties }: Node,
    path: FieldPath,
    value: Readonly<Record<string, unknown>>,
    old: unknown,
    ratchet: Ratchet,
  ): void {
    const before = typeof old === "object" && old !== null && !Array.isArray(old) ? (old as Record<string, unknown>) : {};
    for (const [name, member] of Object.entries(value)) {
      const was = Object.hasOwn(before, name) ? before[name] : undefined;
      if (values !== undefined) this.#visit(values, path.key(name), member, was, ratchet.key(name));
      const property = properties.get(name);
      if (property !== undefined) this.#visit(property, path.child(name), member, was, ratchet.key(name));
    }
  }

  #own({ rules, problem, schema }: Node, path: FieldPath, value: unknown, old: unknown, ratchet: Ratchet): void {
    const type = schema.type ?? "";
    if (problem !== undefined) {
      this.errors.push(badType(path, type, `rule compiler initialization error: ${problem}`));
      return;
    }
    if (rules.length === 0) return;
    if (this.#budget <= 0)
      this.#spent(path, type, "validation failed due to running out of cost budget, no further validation rules will be run");
    const plain = variablesOf(schema, value, old, false);
    const optional = variablesOf(schema, value, old, true);
    for (const rule of rules) {
      this.#rule(rule, rule.rule.optionalOldSelf === true ? optional : plain, { path, schema, type, value, old, ratchet });
    }
  }

  #spent(path: FieldPath, type: string, detail: string): never {
    this.errors.push(badType(path, type, detail));
    throw new Spent(detail);
  }

  #rule(compiled: CompiledRule, variables: Variables, place: Place): void {
    const { rule, program, error, usesOldSelf } = compiled;
    const { path, type, old } = place;
    if (error !== undefined) {
      this.errors.push(badType(path, type, `rule compile error: ${error}`));
      return;
    }
    if (program === undefined || (usesOldSelf && old === null && rule.optionalOldSelf !== true)) return;
    const outcome = program.run(variables, EVALUATION_COST_MAX);
    if (outcome.cost > this.#budget) {
      this.#spent(path, type, "validation failed due to running out of cost budget, no further validation rules will be run");
    }
    this.#budget -= outcome.cost;
    if ("value" in outcome) {
      if (outcome.value !== true) this.#failed(compiled, variables, place);
    } else if (outcome.error === COST_EXCEEDED) {
      const detail = `'${outcome.error}': no further validation rules will be run due to call cost exceeds limit for rule: ${ruleText(rule)}`;
      this.#spent(path, type, detail);
    } else this.errors.push(badType(path, type, errorDetail(outcome.error, rule)));
  }

  #failed(compiled: CompiledRule, variables: Variables, { path, schema, type, value, ratchet }: Place): void {
    const { rule, usesOldSelf } = compiled;
    const at = pathOf(path, rule, schema);
    const add = (error: FieldError): void => {
      if (!usesOldSelf && ratchet.forgives) this.warnings.push(error);
      else this.errors.push(error);
    };
    const { text, cost, spent } = ruleMessage(compiled, variables, this.#budget);
    this.#budget -= cost;
    if (spent !== undefined) {
      add(badType(at, type, spent));
      throw new Spent(MESSAGE_BUDGET_SPENT);
    }
    add(errorFor(at, type === "object" || type === "array" ? undefined : { value }, text, rule.reason));
  }
}

interface Place {
  readonly path: FieldPath;
  readonly schema: JSONSchemaProps;
  readonly type: string;
  readonly value: unknown;
  /** Null for none. */
  readonly old: unknown;
  readonly ratchet: Ratchet;
}

function errorDetail(error: string, rule: ValidationRule): string {
  if (error.startsWith("no such overload")) {
    return `'${error}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`;
  }
  return `${error} evaluating rule: ${ruleText(rule)}`;
}
