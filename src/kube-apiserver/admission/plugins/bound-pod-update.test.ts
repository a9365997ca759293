import { describe, expect, test } from "vitest";
import type { AdmissionAttributes, AdmissionModules, AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import { nodeDeclaredFeatureValidator } from "./node-declared-feature-validator.ts";
import { podResizeValidator } from "./pod-resize-validator.ts";

const linux = {
  metadata: { name: "n", labels: { "kubernetes.io/os": "linux" } },
  status: { allocatable: { cpu: "2", memory: "1Gi" } },
};
const declaring = (...declaredFeatures: string[]): object => ({ ...linux, status: { ...linux.status, declaredFeatures } });
const pod = (
  cpu: string,
  more: { qosClass?: string; resources?: object; memory?: string; nodeName?: string; generation?: number } = {},
): object => {
  const { qosClass = "Guaranteed", resources, memory = "1Mi", nodeName = "n", generation = 2 } = more;
  const containers = [{ name: "c", resources: { requests: { cpu, memory } } }];
  return { metadata: { generation }, spec: { nodeName, containers, ...(resources && { resources }) }, status: { qosClass } };
};
const old = (cpu: string, more: object = {}): object => pod(cpu, { generation: 1, ...more });

function refusal(
  factory: AdmissionPluginFactory,
  object: object,
  oldObject: object,
  more: { node?: object; subresource?: string } = {},
): string {
  const { node = linux, subresource = "resize" } = more;
  const stores = { of: () => ({ cached: (_: string, name: string) => (name === "n" ? node : undefined) }) };
  const request = { operation: "UPDATE", group: "", resource: "pods", subresource, name: "p", object, oldObject };
  try {
    void factory({ stores } as unknown as AdmissionModules).validate?.(request as unknown as AdmissionAttributes);
    return "";
  } catch (error) {
    return (error as Error).message.replace(/^.*? is forbidden: /, "");
  }
}

const whole = (cpu: string): object => ({ requests: { cpu } });
const CPU = "GuaranteedQoSPodCPUResize";
const LEVEL = "InPlacePodLevelResourcesVerticalScaling";
const missing = (...names: string[]): string =>
  `pod update requires features ${names.join(", ")} which are not available on node "n"`;

// As upstream's cases of admission_test.go in nodedeclaredfeatures.
describe("NodeDeclaredFeatureValidator", () => {
  test.each<[string, string, object, object, object?]>([
    ["lets CPUs of Guaranteed pods change where the node can", "", pod("2"), old("1"), { node: declaring(CPU) }],
    ["not where it cannot", missing(CPU), pod("2"), old("1")],
    ["nor by an update of the pod itself", missing(CPU), pod("2"), old("1"), { subresource: "" }],
    ["asks for nothing of other classes", "", pod("2", { qosClass: "Burstable" }), old("1", { qosClass: "Burstable" })],
    ["nor for a change of memory", "", pod("1", { memory: "2Mi" }), old("1")],
    ["nor where CPUs are written otherwise", "", pod("1000m"), old("1")],
    [
      "asks for what changes a pod as a whole",
      missing(LEVEL),
      pod("1", { resources: whole("3") }),
      old("1", { resources: whole("2") }),
    ],
    ["for all that is missing", missing(CPU, LEVEL), pod("2", { resources: whole("3") }), old("1")],
    ["of no pod without a node", "", pod("2", { nodeName: "" }), old("1", { nodeName: "" })],
    ["of no change of other things", "", pod("2", { generation: 1 }), old("1")],
    ["of no status", "", pod("2"), old("1"), { subresource: "status" }],
    ["and of a node that is there", 'node "gone" not found', pod("2", { nodeName: "gone" }), old("1", { nodeName: "gone" })],
  ])("%s", (_, want, object, oldObject, more) => {
    expect(refusal(nodeDeclaredFeatureValidator, object, oldObject, more)).toBe(want);
  });
});

// As upstream's cases of admission_test.go in podresize.
describe("PodResizeValidator", () => {
  const tooMuch = "Node didn't have enough allocatable resources: ";
  test.each<[string, string, object, object, object?]>([
    ["lets pods grow to all that their node has", "", pod("2", { memory: "1Gi" }), old("1")],
    ["and no further", `${tooMuch}cpu, requested: 2001, allocatable: 2000`, pod("2001m"), old("1")],
    [
      "of nothing",
      `${tooMuch}cpu, requested: 3000, allocatable: 2000; memory, requested: 2147483648, allocatable: 1073741824`,
      pod("3", { memory: "2Gi" }),
      old("1"),
    ],
    ["for resizes alone", "", pod("3"), old("1"), { subresource: "" }],
    [
      "and on Linux",
      'pod resize is only supported on linux nodes, node "n" is "windows"',
      pod("2"),
      old("1"),
      { node: { ...linux, metadata: { name: "n", labels: { "kubernetes.io/os": "windows" } } } },
    ],
    ["on nodes that are there", 'node "gone" not found', pod("2", { nodeName: "gone" }), old("1", { nodeName: "gone" })],
  ])("%s", (_, want, object, oldObject, more) => {
    expect(refusal(podResizeValidator, object, oldObject, more)).toBe(want);
  });
});
