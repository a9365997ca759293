import { describe, expect, test } from "vitest";
import type { ScopedResourceSelectorRequirement } from "#api/generated/core/v1.ts";
import { quotaEvaluatorFor, quotaEvaluatorsOf } from "./evaluators.ts";
import { podEvaluator } from "./pod-evaluator.ts";
import { formatResourceList } from "./resource-list.ts";
import { usageOf } from "./usage.ts";

const NOW = Date.parse("2026-01-01T00:01:00Z");
const usage = (group: string, resource: string, object: object) =>
  formatResourceList(quotaEvaluatorFor(group, resource).usage(object, NOW));
const pod = (resources: object, more: object = {}): object => ({
  metadata: {},
  spec: { containers: [{ name: "c", resources }], ...more },
});

describe("what is used", () => {
  test.each<[string, string, string, object, object]>([
    ["a pod without amounts", "", "pods", pod({}), { "count/pods": "1", pods: "1" }],
    [
      "a pod's amounts",
      "",
      "pods",
      pod({
        requests: { cpu: "1", "hugepages-2Mi": "2Mi", "example.com/gpu": "2" },
        limits: { memory: "1Gi", "example.com/gpu": "2" },
      }),
      {
        "count/pods": "1",
        pods: "1",
        cpu: "1",
        "requests.cpu": "1",
        "hugepages-2Mi": "2Mi",
        "requests.hugepages-2Mi": "2Mi",
        "requests.example.com/gpu": "2",
        "limits.memory": "1Gi",
      },
    ],
    [
      "a pod's overhead",
      "",
      "pods",
      pod({ requests: { cpu: "1" } }, { overhead: { cpu: "500m" } }),
      { "count/pods": "1", pods: "1", cpu: "1500m", "requests.cpu": "1500m" },
    ],
    ["a finished pod", "", "pods", { ...pod({ requests: { cpu: "1" } }), status: { phase: "Failed" } }, { "count/pods": "1" }],
    [
      "a pod that should have ended",
      "",
      "pods",
      { ...pod({}), metadata: { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 30 } },
      { "count/pods": "1" },
    ],
    [
      "a pod that may still end",
      "",
      "pods",
      { ...pod({}), metadata: { deletionTimestamp: "2026-01-01T00:00:40Z", deletionGracePeriodSeconds: 30 } },
      { "count/pods": "1", pods: "1" },
    ],
    [
      "a service",
      "",
      "services",
      { spec: { ports: [{}] } },
      { "count/services": "1", services: "1", "services.loadbalancers": "0", "services.nodeports": "0" },
    ],
    [
      "node ports",
      "",
      "services",
      { spec: { type: "NodePort", ports: [{}, {}] } },
      { "count/services": "1", services: "1", "services.loadbalancers": "0", "services.nodeports": "2" },
    ],
    [
      "a load balancer that brings its node ports",
      "",
      "services",
      { spec: { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports: [{ nodePort: 30_000 }, {}] } },
      { "count/services": "1", services: "1", "services.loadbalancers": "1", "services.nodeports": "1" },
    ],
    [
      "a claim of a class",
      "",
      "persistentvolumeclaims",
      { spec: { storageClassName: "gold", resources: { requests: { storage: "1500m" } } } },
      {
        "count/persistentvolumeclaims": "1",
        persistentvolumeclaims: "1",
        "requests.storage": "2",
        "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
        "gold.storageclass.storage.k8s.io/requests.storage": "2",
      },
    ],
    [
      "a claim that shrinks",
      "",
      "persistentvolumeclaims",
      { spec: { resources: { requests: { storage: "1Gi" } } }, status: { allocatedResources: { storage: "2Gi" } } },
      { "count/persistentvolumeclaims": "1", persistentvolumeclaims: "1", "requests.storage": "2Gi" },
    ],
    [
      "devices",
      "resource.k8s.io",
      "resourceclaims",
      {
        spec: {
          devices: {
            requests: [
              { exactly: { deviceClassName: "gpu", allocationMode: "ExactCount", count: 2 } },
              { exactly: { deviceClassName: "nic", allocationMode: "All" } },
              {
                firstAvailable: [
                  { deviceClassName: "gpu", allocationMode: "ExactCount", count: 1 },
                  { deviceClassName: "gpu", allocationMode: "ExactCount", count: 3 },
                ],
              },
            ],
          },
        },
      },
      {
        "count/resourceclaims.resource.k8s.io": "1",
        "gpu.deviceclass.resource.k8s.io/devices": "5",
        "nic.deviceclass.resource.k8s.io/devices": "32",
      },
    ],
    ["what was counted before all could be", "", "secrets", {}, { "count/secrets": "1", secrets: "1" }],
    ["anything else", "example.com", "widgets", {}, { "count/widgets.example.com": "1" }],
  ])("%s", (_name, group, resource, object, want) => expect(usage(group, resource, object)).toEqual(want));
});

describe("a pod's scopes", () => {
  const requirement = (scopeName: string, operator = "Exists", values: string[] = []) =>
    ({ scopeName, operator, values }) as ScopedResourceSelectorRequirement;
  const classed = pod({}, { priorityClassName: "high" });
  const affine = (term: object): object =>
    pod({}, { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ podAffinityTerm: term }] } } });
  test.each<[string, ScopedResourceSelectorRequirement, object, boolean]>([
    ["ends by itself", requirement("Terminating"), pod({}, { activeDeadlineSeconds: 0 }), true],
    ["does not end by itself", requirement("Terminating"), pod({}), false],
    ["does not end by itself, asked the other way", requirement("NotTerminating"), pod({}), true],
    ["asks for nothing", requirement("BestEffort"), pod({ requests: { cpu: "0" } }), true],
    ["asks for something", requirement("NotBestEffort"), pod({ limits: { memory: "1" } }), true],
    ["asks for it as a whole", requirement("BestEffort"), pod({}, { resources: { requests: { cpu: "1" } } }), false],
    ["its class is known already", requirement("BestEffort"), { ...pod({}), status: { qosClass: "Burstable" } }, false],
    ["has a priority class", requirement("PriorityClass"), classed, true],
    ["has none", requirement("PriorityClass"), pod({}), false],
    ["has none, as asked", requirement("PriorityClass", "DoesNotExist"), pod({}), true],
    ["of these", requirement("PriorityClass", "In", ["high"]), classed, true],
    ["of others", requirement("PriorityClass", "In", ["low"]), classed, false],
    ["of none is not of these", requirement("PriorityClass", "NotIn", ["high"]), pod({}), true],
    ["looks into other namespaces by name", requirement("CrossNamespacePodAffinity"), affine({ namespaces: ["a"] }), true],
    ["looks into all namespaces", requirement("CrossNamespacePodAffinity"), affine({ namespaceSelector: {} }), true],
    ["looks into its own", requirement("CrossNamespacePodAffinity"), affine({ namespaces: [] }), false],
    ["a scope of other kinds", requirement("VolumeAttributesClass"), pod({}), false],
  ])("%s", (_name, scope, object, want) => expect(podEvaluator.inScope(scope, object)).toBe(want));
});

test("a quota's names lead to those who count for them", () => {
  const names = [
    "pods",
    "services.nodeports",
    "gold.storageclass.storage.k8s.io/requests.storage",
    "configmaps",
    "count/jobs.batch",
    "count/x.example.com",
  ];
  const found = quotaEvaluatorsOf(names).map(({ group, resource }) => `${resource}.${group}`);
  expect(found).toEqual(["pods.", "services.", "persistentvolumeclaims.", "configmaps.", "jobs.batch", "x.example.com"]);
});

test("only what is limited and in scope adds up", () => {
  const quota = { metadata: {}, spec: { hard: { pods: "9", cpu: "9" }, scopes: ["NotBestEffort"] } } as never;
  const pods = [pod({ requests: { cpu: "1" } }), pod({ requests: { cpu: "500m" } }), pod({})];
  expect(formatResourceList(usageOf(quota, podEvaluator, pods, NOW))).toEqual({ pods: "2", cpu: "1500m" });
  expect(formatResourceList(usageOf(quota, podEvaluator, [], NOW))).toEqual({ pods: "0", cpu: "0" });
});
