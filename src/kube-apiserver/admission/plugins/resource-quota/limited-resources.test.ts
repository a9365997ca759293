import { describe, expect, test } from "vitest";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { AdmissionAttributes } from "#apiserver/admission/admission.ts";
import { quotaEvaluatorFor } from "#component-helpers/quota/evaluators.ts";
import { checkRequest, runningQuota } from "./check-request.ts";
import type { LimitedResource } from "./limited-resources.ts";

/** A quota with these in `hard`, and nothing used. */
const quota = (hard: Record<string, string>, spec: object = {}): object => ({
  metadata: { name: "q" },
  spec: { hard, ...spec },
  status: { hard, used: Object.fromEntries(Object.keys(hard).map((name) => [name, "0"])) },
});
const pod = (more: object = {}): object => ({
  metadata: {},
  spec: { containers: [{ name: "c", resources: { requests: { cpu: "1" } } }], ...more },
});
const claim = (storageClassName: string): object => ({
  metadata: {},
  spec: { storageClassName, resources: { requests: { storage: "1Gi" } } },
});

const CPU: LimitedResource = { resource: "pods", matchContains: ["cpu"] };
const GOLD: LimitedResource = { resource: "persistentvolumeclaims", matchContains: ["gold.storageclass.storage.k8s.io"] };
const IMPORTANT: LimitedResource = {
  resource: "pods",
  matchScopes: [{ scopeName: "PriorityClass", operator: "In", values: ["cluster-services", "other"] }],
};
const important = { priorityClassName: "cluster-services" };
const ofImportant = {
  scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["cluster-services"] }] },
};

interface Case {
  readonly name: string;
  readonly limited: LimitedResource;
  readonly quotas?: readonly object[];
  readonly resource?: string;
  readonly object?: object;
  readonly oldObject?: object;
  readonly want?: string;
}

// As upstream's admission_test.go: TestAdmitLimitedResource*, TestAdmitLimitedScope*.
describe("what is limited", () => {
  test.each<Case>([
    { name: "is refused where no quota is", limited: CPU, want: "insufficient quota to consume: cpu,requests.cpu" },
    {
      name: "is refused where quotas are of something else",
      limited: CPU,
      quotas: [quota({ pods: "5" })],
      want: "insufficient quota to consume: cpu,requests.cpu",
    },
    {
      name: "is refused where quotas cover a part",
      limited: CPU,
      quotas: [quota({ cpu: "5" })],
      want: "insufficient quota to consume: requests.cpu",
    },
    { name: "is given where quotas cover it", limited: CPU, quotas: [quota({ cpu: "5" }), quota({ "requests.cpu": "5" })] },
    { name: "is of no concern to those who use none", limited: CPU, object: { metadata: {}, spec: { containers: [] } } },
    { name: "is that resource's alone", limited: CPU, resource: "persistentvolumeclaims", object: claim("gold") },
    { name: "is that group's alone", limited: { ...CPU, apiGroup: "apps" } },
    {
      name: "may be a storage class",
      limited: GOLD,
      resource: "persistentvolumeclaims",
      object: claim("gold"),
      want: "insufficient quota to consume: gold.storageclass.storage.k8s.io/persistentvolumeclaims,gold.storageclass.storage.k8s.io/requests.storage",
    },
    { name: "leaves other classes alone", limited: GOLD, resource: "persistentvolumeclaims", object: claim("silver") },
    {
      name: "may be what an update adds nothing to",
      limited: GOLD,
      resource: "persistentvolumeclaims",
      object: claim("gold"),
      oldObject: claim("gold"),
    },
    {
      name: "may be a scope",
      limited: IMPORTANT,
      object: pod(important),
      want: "insufficient quota to match these scopes: [{PriorityClass In [cluster-services other]}]",
    },
    {
      name: "may be a scope that another quota's is not",
      limited: IMPORTANT,
      object: pod(important),
      quotas: [quota({ pods: "5" }, { scopes: ["NotTerminating"] })],
      want: "insufficient quota to match these scopes: [{PriorityClass In [cluster-services other]}]",
    },
    {
      name: "is given where a quota's scope has it",
      limited: IMPORTANT,
      object: pod(important),
      quotas: [quota({ pods: "5" }, ofImportant)],
    },
    { name: "is of no concern outside the scope", limited: IMPORTANT, object: pod() },
  ])("$name", ({ limited, quotas = [], resource = "pods", object = pod(), oldObject, want }) => {
    const operation = oldObject === undefined ? "CREATE" : "UPDATE";
    const asked = { operation, group: "", resource, subresource: "", name: "o", object, oldObject };
    const running = quotas.map((each) => runningQuota(each as never));
    const result = checkRequest(running, asked as AdmissionAttributes, quotaEvaluatorFor("", resource), 0, [limited]);
    expect(result instanceof StatusError ? result.message.replace(/^.*? is forbidden: /, "") : undefined).toBe(want);
  });
});
