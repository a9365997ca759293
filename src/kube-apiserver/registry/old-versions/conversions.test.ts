import { describe, expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { fromOldBudget, toOldBudget } from "./budgets.ts";
import { fromOldDefinition, toOldDefinition } from "./definitions.ts";
import { fromOldSlice, toOldSlice } from "./endpoint-topology.ts";
import { fromOldIngress, toOldIngress } from "./ingress.ts";
import { fromAssured, fromNominal, nominalDefaults, toAssured, toNominal } from "./priority-levels.ts";
import { fromOldRuntimeClass, toOldRuntimeClass } from "./runtime-classes.ts";
import { fromOldBinding, toOldBinding } from "./subjects.ts";
import { thirdPartyNames, toDefinition } from "./third-party-resource.ts";
import { generationConverters, rollbackConverters } from "./workloads.ts";

const RBAC = "rbac.authorization.k8s.io";
const KEY = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";
const ZERO = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";

type Convert = (object: ApiObject) => ApiObject;
interface Case {
  readonly name: string;
  readonly to: Convert;
  readonly from: Convert;
  readonly old: object;
  readonly today: object;
}

function clone(object: object, metadata: object = {}): ApiObject {
  return structuredClone({ metadata, ...object }) as ApiObject;
}

describe("old versions become today's, and back", () => {
  test.each<Case>([
    {
      name: "a backend by number",
      to: fromOldIngress,
      from: toOldIngress,
      old: { spec: { backend: { serviceName: "s", servicePort: 80 } } },
      today: { spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } } } },
    },
    {
      name: "a backend by name",
      to: fromOldIngress,
      from: toOldIngress,
      old: { spec: { rules: [{ http: { paths: [{ backend: { serviceName: "s", servicePort: "web" } }] } }] } },
      today: { spec: { rules: [{ http: { paths: [{ backend: { service: { name: "s", port: { name: "web" } } } }] } }] } },
    },
    {
      name: "subjects",
      to: fromOldBinding,
      from: toOldBinding,
      old: {
        subjects: [
          { kind: "User", apiVersion: `${RBAC}/v1alpha1`, name: "u" },
          { kind: "ServiceAccount", apiVersion: "v1", name: "s", namespace: "n" },
        ],
      },
      today: {
        subjects: [
          { kind: "User", apiGroup: RBAC, name: "u" },
          { kind: "ServiceAccount", name: "s", namespace: "n" },
        ],
      },
    },
    {
      name: "a budget for nothing",
      to: fromOldBudget,
      from: toOldBudget,
      old: { spec: { selector: {} } },
      today: { spec: { selector: { matchExpressions: [{ key: KEY, operator: "Exists" }] } } },
    },
    {
      name: "a budget for all",
      to: fromOldBudget,
      from: toOldBudget,
      old: { spec: { selector: { matchExpressions: [{ key: KEY, operator: "DoesNotExist" }] } } },
      today: { spec: { selector: {} } },
    },
    {
      name: "zones and nodes",
      to: fromOldSlice,
      from: toOldSlice,
      old: {
        endpoints: [
          { nodeName: "n", topology: { "topology.kubernetes.io/zone": "z", "kubernetes.io/hostname": "n", other: "o" } },
        ],
      },
      today: { endpoints: [{ nodeName: "n", zone: "z", deprecatedTopology: { other: "o" } }] },
    },
    {
      name: "assured shares",
      to: fromAssured,
      from: toAssured,
      old: { spec: { limited: { assuredConcurrencyShares: 5 } } },
      today: { spec: { limited: { nominalConcurrencyShares: 5 } } },
    },
    {
      name: "no shares",
      to: fromNominal,
      from: toNominal,
      old: { metadata: { annotations: { [ZERO]: "" } }, spec: { limited: { nominalConcurrencyShares: 0 } } },
      today: { metadata: {}, spec: { limited: { nominalConcurrencyShares: 0 } } },
    },
    {
      name: "a runtime class with a spec",
      to: fromOldRuntimeClass,
      from: toOldRuntimeClass,
      old: { spec: { runtimeHandler: "h", overhead: { podFixed: { cpu: "1" } } } },
      today: { handler: "h", overhead: { podFixed: { cpu: "1" } } },
    },
    {
      name: "the revision to go back to",
      ...{ to: rollbackConverters.toStorage, from: rollbackConverters.fromStorage },
      old: { metadata: { annotations: { a: "b" } }, spec: { rollbackTo: { revision: 2 } } },
      today: { metadata: { annotations: { a: "b", "deprecated.deployment.rollback.to": "2" } }, spec: {} },
    },
    {
      name: "the number of templates",
      ...{ to: generationConverters.toStorage, from: generationConverters.fromStorage },
      old: { metadata: {}, spec: { templateGeneration: 3 } },
      today: { metadata: { annotations: { "deprecated.daemonset.template.generation": "3" } }, spec: {} },
    },
    {
      name: "a conversion by webhook",
      to: fromOldDefinition,
      from: toOldDefinition,
      old: {
        spec: {
          version: "v1",
          preserveUnknownFields: false,
          versions: [{ name: "v1" }],
          conversion: { strategy: "Webhook", webhookClientConfig: { url: "u" }, conversionReviewVersions: ["v1"] },
        },
      },
      today: {
        spec: {
          preserveUnknownFields: false,
          versions: [{ name: "v1" }],
          conversion: { strategy: "Webhook", webhook: { clientConfig: { url: "u" }, conversionReviewVersions: ["v1"] } },
        },
      },
    },
  ])("$name", ({ to, from, old, today }) => {
    expect(to(clone(old))).toEqual(clone(today));
    expect(from(clone(today))).toEqual(clone(old));
  });
});

test("the user * of v1alpha1 is everybody who says who they are", () => {
  const { subjects } = fromOldBinding(clone({ subjects: [{ kind: "User", name: "*" }] }));
  expect(subjects).toEqual([{ kind: "Group", apiGroup: RBAC, name: "system:authenticated" }]);
});

test.each([
  { annotations: {}, want: 30 },
  { annotations: { [ZERO]: "" }, want: 0 },
])("no shares in v1beta3 are the default, unless $annotations", ({ annotations, want }) => {
  const level = clone({ spec: { limited: {} } }, { annotations });
  nominalDefaults(level, () => {});
  expect(level.spec).toEqual({ limited: { nominalConcurrencyShares: want } });
});

test.each([
  ["cron-tab.stable.example.com", { kind: "CronTab", group: "stable.example.com", plural: "crontabs", singular: "crontab" }],
  [
    "network-policy.net.alpha.kubernetes.io",
    { kind: "NetworkPolicy", group: "net.alpha.kubernetes.io", plural: "networkpolicies", singular: "networkpolicy" },
  ],
  ["bus.example.com", { kind: "Bus", group: "example.com", plural: "buses", singular: "bus" }],
  ["example.com", undefined],
  [".example.com", undefined],
])("%s names a kind", (name, want) => {
  expect(thirdPartyNames(name)).toEqual(want);
});

test("groups that are Kubernetes' own need an approval, which third-party resources never had", () => {
  const annotations = (name: string): object | undefined =>
    toDefinition({ metadata: { name, namespace: "n" }, versions: [] }).metadata.annotations;
  expect(annotations("a.b.k8s.io")).toHaveProperty(["api-approved.kubernetes.io"]);
  expect(annotations("a.b.notk8s.io")).not.toHaveProperty(["api-approved.kubernetes.io"]);
});
