import { expect, test } from "vitest";
import type { FlowSchema, PriorityLevelConfiguration } from "#api/generated/flowcontrol/v1.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { defaultFlowSchemas, defaultPriorityLevels } from "../../bootstrap/flow-control.ts";
import { validateFlowSchema } from "./flow-schema/validation.ts";
import { validatePriorityLevel } from "./priority-level-configuration/validation.ts";
import { validateStatus } from "./status-validation.ts";

const fields = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, type }) => `${field} ${type.replace("FieldValue", "")}`);
const subjects = [{ kind: "User", user: { name: "a" } }];
const schema = (rule: object, change: object = {}): FlowSchema =>
  ({
    metadata: { name: "a" },
    spec: { priorityLevelConfiguration: { name: "x" }, matchingPrecedence: 5, rules: [{ subjects, ...rule }], ...change },
  }) as FlowSchema;
const paths = (...nonResourceURLs: string[]): object => ({ nonResourceRules: [{ verbs: ["get"], nonResourceURLs }] });
const resources = (change: object): object => ({
  resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], ...change }],
});

const schemas: [string, FlowSchema, string[]][] = [
  ["paths", schema(paths("/healthz", "/a/*")), []],
  ["a wildcard within", schema(paths("/a*b")), ["spec.rules[0].nonResourceRules[0].nonResourceURLs[0] Invalid"]],
  ["no rules of either kind", schema({}), ["spec.rules[0] Required"]],
  ["an unknown verb", schema(resources({ verbs: ["fly"] })), ["spec.rules[0].resourceRules[0].verbs NotSupported"]],
  ["no namespace", schema(resources({ namespaces: [] })), ["spec.rules[0].resourceRules[0].namespaces Required"]],
  ["the first precedence", schema(paths("/"), { matchingPrecedence: 1 }), ["spec.matchingPrecedence Invalid"]],
  [
    "a group for a user",
    schema({ subjects: [{ kind: "User", group: { name: "g" } }], ...paths("/") }),
    ["spec.rules[0].subjects[0].user Required", "spec.rules[0].subjects[0].group Forbidden"],
  ],
];
test.each(schemas)("flow schema with %s", (_name, object, want) => {
  expect(fields(validateFlowSchema(object))).toEqual(want);
});

test("what the server brings is good, and what it cannot do without cannot change", () => {
  expect(defaultFlowSchemas("").flatMap(validateFlowSchema)).toEqual([]);
  expect(defaultPriorityLevels().flatMap(validatePriorityLevel)).toEqual([]);
  const [exempt] = defaultFlowSchemas("");
  const changed = { ...exempt, metadata: { name: "exempt" }, spec: { ...exempt?.spec, matchingPrecedence: 2 } } as FlowSchema;
  expect(fields(validateFlowSchema(changed))).toEqual(["spec Invalid"]);
});

const level = (queuing: object): PriorityLevelConfiguration =>
  ({
    metadata: { name: "a" },
    spec: { type: "Limited", limited: { limitResponse: { type: "Queue", queuing: { queueLengthLimit: 1, ...queuing } } } },
  }) as PriorityLevelConfiguration;
const hand = "spec.limited.limitResponse.queuing.handSize Invalid";
const levels: [string, object, string[]][] = [
  ["a hand that fits", { queues: 64, handSize: 8 }, []],
  ["a hand larger than the deck", { queues: 4, handSize: 8 }, [hand]],
  ["more entropy than a hash has", { queues: 1024, handSize: 8 }, [hand]],
];
test.each(levels)("priority level with %s", (_name, queuing, want) => {
  expect(fields(validatePriorityLevel(level(queuing)))).toEqual(want);
});

test("conditions have types of their own", () => {
  const conditions = ["A", "", "A", ""].map((type) => ({ type, status: "True" }));
  expect(fields(validateStatus({ ...schema({}), status: { conditions } }))).toEqual([
    "status.conditions[1].type Required",
    "status.conditions[2].type Duplicate",
    "status.conditions[3].type Duplicate",
    "status.conditions[3].type Required",
  ]);
});
