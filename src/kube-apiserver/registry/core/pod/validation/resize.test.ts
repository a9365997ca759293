import { expect, test } from "vitest";
import type { Container, Pod, PodSpec, ResourceRequirements } from "#api/generated/core/v1.ts";
import { setPodDefaults } from "../defaults.ts";
import { validatePodResize } from "./resize.ts";

const cpu = (amount: string): ResourceRequirements => ({ requests: { cpu: amount } });
const container = (change: Partial<Container> = {}): Container => ({ name: "c", image: "i", resources: cpu("1"), ...change });
function pod(change: Partial<PodSpec> = {}): Pod {
  const object = {
    metadata: { name: "p", namespace: "n" },
    spec: { containers: [container()], ...structuredClone(change) },
    status: { qosClass: "Burstable" },
  };
  setPodDefaults(object as never);
  return object as Pod;
}
const init = (change: Partial<Container> = {}): Partial<PodSpec> => ({ initContainers: [container({ name: "i", ...change })] });
const ONLY = "only cpu and memory resources are mutable";

test.each<[string, Partial<PodSpec>, Partial<PodSpec>, string[]]>([
  ["more cpu", { containers: [container({ resources: cpu("2") })] }, {}, []],
  [
    "no cpu",
    { containers: [container({ resources: { requests: { memory: "1" } } })] },
    {},
    ["spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed"],
  ],
  [
    "storage",
    { containers: [container({ resources: { requests: { cpu: "1", "ephemeral-storage": "1" } } })] },
    {},
    [`spec: Forbidden: ${ONLY}`],
  ],
  [
    "a limit of storage where there were none",
    { containers: [container({ resources: { ...cpu("1"), limits: { "ephemeral-storage": "1" } } })] },
    {},
    [`spec: Forbidden: ${ONLY}`],
  ],
  [
    "another container",
    { containers: [container({ name: "d" })] },
    {},
    ["spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize"],
  ],
  [
    "one container more",
    { containers: [container(), container({ name: "d" })] },
    {},
    ["spec.containers: Forbidden: containers may not be added or removed on resize"],
  ],
  ["more cpu to begin with", init({ resources: cpu("2") }), init(), []],
  ["pod-level resources", { resources: cpu("4") }, { resources: cpu("3") }, []],
  ["no pod-level resources", {}, { resources: cpu("3") }, ["spec.resources: Forbidden: pod-level resources cannot be removed"]],
  [
    "less of pod-level resources",
    { resources: { requests: { memory: "1Gi", cpu: "3" } } },
    { resources: { requests: { memory: "1Gi", cpu: "3" }, limits: { memory: "1Gi" } } },
    ["spec.resources.limits: Forbidden: pod-level resource limits cannot be removed"],
  ],
])("a resize to %s", (_, now, old, want) => {
  expect(validatePodResize(pod(now), pod(old)).map(({ field, message }) => `${field}: ${message}`)).toEqual(want);
});
