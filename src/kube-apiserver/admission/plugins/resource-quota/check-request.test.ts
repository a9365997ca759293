import { describe, expect, test } from "vitest";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { AdmissionAttributes } from "#apiserver/admission/admission.ts";
import { quotaEvaluatorFor } from "#component-helpers/quota/evaluators.ts";
import { formatResourceList } from "#component-helpers/quota/resource-list.ts";
import { checkRequest, runningQuota } from "./check-request.ts";

interface Quota {
  readonly hard: Record<string, string>;
  readonly used: Record<string, string>;
  readonly spec?: object;
}

/** The refusal, or what each quota is charged with then. */
function judge(quotas: readonly Quota[], request: Partial<AdmissionAttributes>): string | Record<string, string>[] {
  const attributes = {
    operation: "CREATE",
    group: "",
    resource: "pods",
    subresource: "",
    name: "o",
    ...request,
  } as AdmissionAttributes;
  const running = quotas.map(({ hard, used, spec = {} }, i) =>
    runningQuota({ metadata: { name: `q${i}` }, spec: { hard, ...spec }, status: { hard, used } } as never),
  );
  const result = checkRequest(running, attributes, quotaEvaluatorFor(attributes.group, attributes.resource), 0);
  return result instanceof StatusError
    ? result.message.replace(/^.*? is forbidden: /, "")
    : result.map(({ used }) => formatResourceList(used));
}

const pod = (resources: object = {}, more: object = {}): AdmissionAttributes["object"] => ({
  metadata: {},
  spec: { containers: [{ name: "c", resources }], ...more },
});
const service = (spec: object): AdmissionAttributes["object"] => ({ metadata: {}, spec });

describe("a request", () => {
  test.each<{
    name: string;
    quotas: readonly Quota[];
    request: Partial<AdmissionAttributes>;
    want: string | Record<string, string>[];
  }>([
    {
      name: "is charged",
      quotas: [{ hard: { pods: "2" }, used: { pods: "1" } }],
      request: { object: pod() },
      want: [{ pods: "2" }],
    },
    {
      name: "is too much",
      quotas: [{ hard: { pods: "1" }, used: { pods: "1" } }],
      request: { object: pod() },
      want: "exceeded quota: q0, requested: pods=1, used: pods=1, limited: pods=1",
    },
    {
      name: "is told all that is too much, and nothing else",
      quotas: [{ hard: { pods: "5", cpu: "1", memory: "1Gi" }, used: { pods: "0", cpu: "500m", memory: "0" } }],
      request: { object: pod({ requests: { cpu: "1", memory: "2Gi" } }) },
      want: "exceeded quota: q0, requested: cpu=1,memory=2Gi, used: cpu=500m,memory=0, limited: cpu=1,memory=1Gi",
    },
    {
      name: "must fit all quotas",
      quotas: [
        { hard: { pods: "2" }, used: { pods: "0" } },
        { hard: { "count/pods": "0" }, used: { "count/pods": "0" } },
      ],
      request: { object: pod() },
      want: "exceeded quota: q1, requested: count/pods=1, used: count/pods=0, limited: count/pods=0",
    },
    {
      name: "must say what is limited",
      quotas: [{ hard: { "limits.cpu": "1", "requests.memory": "1" }, used: { "limits.cpu": "0", "requests.memory": "0" } }],
      request: { object: pod({ requests: { cpu: "1" } }) },
      want: "failed quota: q0: must specify limits.cpu for: c; requests.memory for: c",
    },
    {
      name: "may say it for the whole pod",
      quotas: [{ hard: { cpu: "1" }, used: { cpu: "0" } }],
      request: { object: pod({}, { resources: { requests: { cpu: "1" } } }) },
      want: [{ cpu: "1" }],
    },
    {
      name: "waits for the quota to be counted",
      quotas: [{ hard: { pods: "1", "count/pods": "1" }, used: {} }],
      request: { object: pod() },
      want: "status unknown for quota: q0, resources: count/pods,pods",
    },
    {
      name: "is no matter of a quota of other things",
      quotas: [{ hard: { services: "0" }, used: { services: "0" } }],
      request: { object: pod() },
      want: [{ services: "0" }],
    },
    {
      name: "is out of scope",
      quotas: [{ hard: { pods: "0" }, used: { pods: "0" }, spec: { scopes: ["NotBestEffort"] } }],
      request: { object: pod() },
      want: [{ pods: "0" }],
    },
    {
      name: "uses nothing of what is limited",
      quotas: [{ hard: { "requests.example.com/gpu": "0" }, used: { "requests.example.com/gpu": "0" } }],
      request: { object: pod() },
      want: [{ "requests.example.com/gpu": "0" }],
    },
    {
      name: "asks for less than nothing",
      quotas: [{ hard: { cpu: "1" }, used: { cpu: "0" } }],
      request: { object: pod({ requests: { cpu: "-1" } }) },
      want: "quota usage is negative for resource(s): cpu,requests.cpu",
    },
    {
      name: "that changes a pod",
      quotas: [{ hard: { pods: "0" }, used: { pods: "0" } }],
      request: { operation: "UPDATE", object: pod(), oldObject: pod() as never },
      want: [{ pods: "0" }],
    },
    {
      name: "that resizes a pod is charged the difference",
      quotas: [{ hard: { cpu: "3" }, used: { cpu: "2" } }],
      request: {
        operation: "UPDATE",
        subresource: "resize",
        object: pod({ requests: { cpu: "2" } }),
        oldObject: pod({ requests: { cpu: "1" } }) as never,
      },
      want: [{ cpu: "3" }],
    },
    {
      name: "that shrinks a pod is charged nothing",
      quotas: [{ hard: { cpu: "3" }, used: { cpu: "2" } }],
      request: {
        operation: "UPDATE",
        subresource: "resize",
        object: pod({ requests: { cpu: "1" } }),
        oldObject: pod({ requests: { cpu: "2" } }) as never,
      },
      want: [{ cpu: "2" }],
    },
    {
      name: "that changes a service's type",
      quotas: [{ hard: { services: "1", "services.nodeports": "0" }, used: { services: "1", "services.nodeports": "0" } }],
      request: {
        resource: "services",
        operation: "UPDATE",
        object: service({ type: "NodePort", ports: [{}] }),
        oldObject: service({ ports: [{}] }) as never,
      },
      want: "exceeded quota: q0, requested: services.nodeports=1, used: services.nodeports=0, limited: services.nodeports=0",
    },
    {
      name: "that brings a claim into scope is charged in full",
      quotas: [
        {
          hard: { persistentvolumeclaims: "1" },
          used: { persistentvolumeclaims: "0" },
          spec: {
            scopeSelector: { matchExpressions: [{ scopeName: "VolumeAttributesClass", operator: "In", values: ["gold"] }] },
          },
        },
      ],
      request: {
        resource: "persistentvolumeclaims",
        operation: "UPDATE",
        object: { metadata: {}, spec: { volumeAttributesClassName: "gold" } },
        oldObject: { metadata: {}, spec: {} },
      },
      want: [{ persistentvolumeclaims: "1" }],
    },
    {
      name: "that tells a status is charged though it is too much",
      quotas: [{ hard: { "requests.storage": "1Gi" }, used: { "requests.storage": "1Gi" } }],
      request: {
        resource: "persistentvolumeclaims",
        operation: "UPDATE",
        subresource: "status",
        object: {
          metadata: {},
          spec: { resources: { requests: { storage: "1Gi" } } },
          status: { allocatedResources: { storage: "2Gi" } },
        },
        oldObject: { metadata: {}, spec: { resources: { requests: { storage: "1Gi" } } } },
      },
      want: [{ "requests.storage": "2Gi" }],
    },
    {
      name: "of a kind that is only counted",
      quotas: [{ hard: { "count/deployments.apps": "1" }, used: { "count/deployments.apps": "1" } }],
      request: { group: "apps", resource: "deployments", object: { metadata: {} } },
      want: "exceeded quota: q0, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1",
    },
  ])("$name", ({ quotas, request, want }) => expect(judge(quotas, request)).toEqual(want));
});
