import { expect, test } from "vitest";
import type { Container, Pod } from "#api/generated/core/v1.ts";
import { formatQuantity } from "#apimachinery/resource/quantity.ts";
import { podLimits } from "./pod-limits.ts";
import { podRequests } from "./pod-requests.ts";

const needs = (name: string, cpu: string, more: Partial<Container> = {}): Container => ({
  name,
  resources: { requests: { cpu }, limits: { cpu } },
  ...more,
});
const sidecar = { restartPolicy: "Always" };
const pod = (spec: Partial<Pod["spec"]>, status: Pod["status"] = {}): Pod => ({
  metadata: { name: "p" },
  spec: { containers: [needs("a", "1"), needs("b", "500m")], ...spec },
  status,
});
const text = (list: ReturnType<typeof podRequests>): Record<string, string> =>
  Object.fromEntries([...list].map(([name, value]) => [name, formatQuantity(value)]));

test.each<{ name: string; spec: Partial<Pod["spec"]>; requests: object; limits?: object }>([
  { name: "containers run together", spec: {}, requests: { cpu: "1500m" } },
  { name: "a greater step of the initialization", spec: { initContainers: [needs("i", "2")] }, requests: { cpu: "2" } },
  { name: "steps follow one another", spec: { initContainers: [needs("i", "1"), needs("j", "1")] }, requests: { cpu: "1500m" } },
  {
    name: "sidecars run along from their start",
    spec: { initContainers: [needs("s", "300m", sidecar), needs("i", "2")] },
    requests: { cpu: "2300m" },
  },
  {
    name: "sidecars that start later do not count for steps before",
    spec: { initContainers: [needs("i", "1"), needs("s", "300m", sidecar)] },
    requests: { cpu: "1800m" },
  },
  {
    name: "overhead limits nothing that is not limited",
    spec: { overhead: { cpu: "100m", memory: "1Mi" } },
    requests: { cpu: "1600m", memory: "1Mi" },
    limits: { cpu: "1600m" },
  },
  {
    name: "the pod's own numbers win where it may have any",
    spec: { resources: { requests: { cpu: "4", "example.com/gpu": "1" }, limits: { cpu: "4" } } },
    requests: { cpu: "4" },
  },
])("$name", ({ spec, requests, limits = requests }) => {
  expect([text(podRequests(pod(spec))), text(podLimits(pod(spec)))]).toEqual([requests, limits]);
});

test("a resize counts as soon as it is allocated, and until it is given up", () => {
  const status = { containerStatuses: [{ name: "a", allocatedResources: { cpu: "3" }, resources: { limits: { cpu: "5" } } }] };
  const resized = pod({}, status as unknown as Pod["status"]);
  const options = { useStatusResources: true };
  expect([text(podRequests(resized, options)), text(podLimits(resized, options))]).toEqual([{ cpu: "3500m" }, { cpu: "5500m" }]);
  expect(text(podRequests(resized))).toEqual({ cpu: "1500m" });
});

test("overhead can be left out", () => {
  const spec = { overhead: { cpu: "100m" } };
  expect(text(podRequests(pod(spec), { excludeOverhead: true }))).toEqual({ cpu: "1500m" });
});
