import { expect, test } from "vitest";
import type { ConfigMap, Container, EnvVar, Pod, Secret } from "#api/generated/core/v1.ts";
import { environmentOf } from "./environment.ts";

const pod = {
  metadata: { name: "web", namespace: "ns", uid: "u", labels: { app: "shop" } },
  spec: { nodeName: "node-0", containers: [] },
} as unknown as Pod;
const field = (fieldPath: string): NonNullable<EnvVar["valueFrom"]> => ({ fieldRef: { apiVersion: "v1", fieldPath } });

const cases: readonly (readonly [string, readonly EnvVar[], Readonly<Record<string, string>>])[] = [
  ["values, also empty ones", [{ name: "A", value: "1" }, { name: "B" }], { A: "1", B: "" }],
  [
    "variables that came before",
    [
      { name: "A", value: "1" },
      { name: "B", value: "<$(A)> $(C) $$(A)" },
    ],
    { A: "1", B: "<1> $(C) $(A)" },
  ],
  [
    "fields of the pod",
    [
      { name: "N", valueFrom: field("metadata.name") },
      { name: "L", valueFrom: field("metadata.labels['app']") },
      { name: "I", valueFrom: field("status.podIP") },
      { name: "IS", valueFrom: field("status.podIPs") },
      { name: "HS", valueFrom: field("status.hostIPs") },
    ],
    { N: "web", L: "shop", I: "10.0.0.2", IS: "10.0.0.2,fd00::2", HS: "172.18.0.2" },
  ],
  [
    "what is kept elsewhere",
    [
      { name: "S", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
      { name: "C", valueFrom: { configMapKeyRef: { name: "c", key: "k" } } },
      { name: "O", valueFrom: { configMapKeyRef: { name: "none", key: "k", optional: true } } },
      { name: "P", value: "$(S) $(C) $(WEB_SERVICE_HOST) $(O)" },
    ],
    { S: "hidden", C: "shown", P: "hidden shown 10.96.0.7 $(O)" },
  ],
  [
    "what a container may use",
    ["limits.cpu", "requests.cpu", "limits.memory", "requests.memory"].map((resource) => ({
      name: resource,
      valueFrom: { resourceFieldRef: { resource, divisor: resource === "requests.memory" ? "1Mi" : "0" } },
    })),
    { "limits.cpu": "8", "requests.cpu": "1", "limits.memory": "1024", "requests.memory": "2" },
  ],
];
const situation = {
  addresses: { pod: "10.0.0.2", host: "172.18.0.2", pods: ["10.0.0.2", "fd00::2"] },
  allocatable: { cpu: "8", memory: "1024" },
  services: async () => new Map([["WEB_SERVICE_HOST", "10.96.0.7"]]),
  sources: {
    configMap: async (_namespace: string, name: string) =>
      name === "c" ? ({ metadata: { name }, data: { k: "shown", a: "1" } } as unknown as ConfigMap) : undefined,
    secret: async (_namespace: string, name: string) =>
      name === "s" ? ({ metadata: { name }, data: { k: btoa("hidden") } } as unknown as Secret) : undefined,
  },
};
const resources = { requests: { cpu: "250m", memory: "1100Ki" } } as unknown as NonNullable<Container["resources"]>;

test.each(cases)("%s", async (_name, env, want) => {
  const made = await environmentOf(pod, { name: "c", env, resources }, situation);
  expect(Object.fromEntries(made.map(({ key, value }) => [key, value]))).toEqual(want);
});

test("variables of files, which may not be there", async () => {
  const refer = (key: string, optional?: true): EnvVar => ({
    name: key,
    valueFrom: { fileKeyRef: { volumeName: "v", path: "env", key, ...(optional && { optional }) } },
  });
  const withFiles = {
    ...situation,
    envFileValue: async ({ key }: { readonly key: string }) => ({ path: "/v/env", value: key === "A" ? "1" : "" }),
  };
  const made = await environmentOf(pod, { name: "c", env: [refer("A"), refer("B", true)] }, withFiles);
  expect(made).toEqual([{ key: "A", value: "1" }]);
  await expect(environmentOf(pod, { name: "c", env: [refer("B")] }, withFiles)).rejects.toThrow(
    'environment variable key "B" not found in file "/v/env"',
  );
});

test("whole ConfigMaps and Secrets come first, in order and with their prefix", async () => {
  const envFrom = [{ configMapRef: { name: "c" } }, { prefix: "P_", secretRef: { name: "s" } }];
  const made = await environmentOf(pod, { name: "c", envFrom, env: [{ name: "k", value: "own" }] }, situation);
  expect(made.map(({ key, value }) => `${key}=${value}`)).toEqual(["a=1", "k=own", "P_k=hidden"]);
});

const missing: readonly (readonly [string, Partial<Container>])[] = [
  ['configmap "no" not found', { envFrom: [{ configMapRef: { name: "no" } }] }],
  ['secret "no" not found', { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "no", key: "k" } } }] }],
  ["couldn't find key x in ConfigMap ns/c", { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "c", key: "x" } } }] }],
  ["couldn't find key x in Secret ns/s", { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "x" } } }] }],
];
test.each(missing)("%s", async (message, container) => {
  const own = { ...pod, metadata: { ...pod.metadata, namespace: "ns" } };
  await expect(environmentOf(own, { name: "c", ...container }, situation)).rejects.toThrow(message);
});
