import { beforeAll, expect, test } from "vitest";
import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { type KubernetesCel, loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { compileRuleEvaluator } from "./evaluate-rules.ts";
import { validateRuleExpressions } from "./validate-rules.ts";

let cel: KubernetesCel;
beforeAll(async () => {
  cel = await loadKubernetesCel();
});

type Rule = NonNullable<JSONSchemaProps["x-kubernetes-validations"]>[number];

/** A resource with a spec of these properties and one rule on it. */
function resource(properties: Record<string, JSONSchemaProps>, rule: Partial<Rule> & { rule: string }): JSONSchemaProps {
  return { type: "object", properties: { spec: { type: "object", properties, "x-kubernetes-validations": [rule] } } };
}

const STRING: JSONSchemaProps = { type: "string" };
const INTEGER: JSONSchemaProps = { type: "integer" };
const STRINGS: JSONSchemaProps = { type: "array", items: STRING };

const definitions: [string, Record<string, JSONSchemaProps>, Partial<Rule> & { rule: string }, string[]][] = [
  ["what it needs", { a: INTEGER }, { rule: "self.a > 0" }, []],
  ["an unknown field", { a: INTEGER }, { rule: "self.b > 0" }, ["undefined field 'b'"]],
  ["a type that does not fit", { a: STRING }, { rule: "self.a > 0" }, ["found no matching overload for '_>_'"]],
  ["no boolean", { a: INTEGER }, { rule: "self.a" }, ["cel expression must evaluate to a bool"]],
  ["a message that is no string", { a: INTEGER }, { rule: "true", messageExpression: "1" }, ["must evaluate to a string"]],
  [
    "a loop without bounds",
    { a: STRINGS },
    { rule: "self.a.all(x, self.a.all(y, x == y))" },
    ["estimated rule cost exceeds budget by factor of more than 100x", "contributed to estimated rule cost total exceeding"],
  ],
  ["a name that must be escaped", { "a-b": INTEGER, if: INTEGER }, { rule: "self.a__dash__b > self.__if__" }, []],
];
test.each(definitions)("a definition with %s", (_name, properties, rule, want) => {
  const errors = validateRuleExpressions(resource(properties, rule), FieldPath.root, cel, () => true);
  const found = want.filter((text) => errors.some(({ message }) => message.includes(text)));
  expect(found).toEqual(want);
  expect(errors.length > 0).toBe(want.length > 0);
});

const objects: [
  string,
  Record<string, JSONSchemaProps>,
  Partial<Rule> & { rule: string },
  object,
  (object | undefined)?,
  string?,
][] = [
  ["holds", { a: INTEGER }, { rule: "self.a > 0" }, { a: 1 }],
  ["does not hold", { a: INTEGER }, { rule: "self.a > 0" }, { a: 0 }, undefined, "spec: failed rule: self.a > 0"],
  ["has a message", { a: INTEGER }, { rule: "false", message: "no" }, {}, undefined, "spec: no"],
  [
    "has an expression for a message",
    { a: INTEGER },
    { rule: "false", messageExpression: "'is ' + string(self.a)" },
    { a: 3 },
    undefined,
    "spec: is 3",
  ],
  ["has a path", { a: INTEGER }, { rule: "false", fieldPath: ".a", message: "no" }, { a: 3 }, undefined, "spec.a: no"],
  ["is of changes, on a create", { a: INTEGER }, { rule: "self.a == oldSelf.a" }, { a: 3 }],
  ["is of changes", { a: INTEGER }, { rule: "self.a == oldSelf.a", message: "no" }, { a: 3 }, { a: 4 }, "spec: no"],
  [
    "takes what is not there",
    { a: INTEGER },
    { rule: "!oldSelf.hasValue()", optionalOldSelf: true, message: "no" },
    { a: 3 },
    { a: 4 },
    "spec: no",
  ],
  [
    "fails",
    { a: INTEGER },
    { rule: "1 / self.a > 0" },
    { a: 0 },
    undefined,
    "spec: division by zero evaluating rule: 1 / self.a > 0",
  ],
];
test.each(objects)("a rule that %s", (_name, properties, rule, spec, old, want) => {
  const evaluate = compileRuleEvaluator(resource(properties, rule), cel);
  const errors = evaluate?.({ spec }, old && { spec: old }).errors ?? [];
  const told = errors.map(({ field, message }) => `${field}: ${message}`).join("\n");
  if (want === undefined) expect(told).toBe("");
  else {
    const [field = "", ...text] = want.split(": ");
    expect(told.startsWith(field)).toBe(true);
    expect(told).toContain(text.join(": "));
  }
});

test("what is too dear is left, and the next object is judged", () => {
  const rule = { rule: "self.a.all(x, self.a.all(y, self.a.all(z, x + y + z != '')))" };
  const evaluate = compileRuleEvaluator(resource({ a: STRINGS }, rule), cel);
  const long = { spec: { a: Array.from({ length: 1000 }, () => "x") } };
  const errors = evaluate?.(long, undefined).errors ?? [];
  expect(errors.map(({ message }) => message).join()).toContain("call cost exceeds limit");
  expect(evaluate?.({ spec: { a: ["x"] } }, undefined).errors).toEqual([]);
});
