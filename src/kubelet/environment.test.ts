import { expect, test } from "vitest";
import type { EnvVar, Pod } from "#api/generated/core/v1.ts";
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
    ],
    { N: "web", L: "shop", I: "10.0.0.2" },
  ],
  ["what is kept elsewhere is left out", [{ name: "S", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }], {}],
];
test.each(cases)("%s", (_name, env, want) => {
  const made = environmentOf(pod, { name: "c", env }, { pod: "10.0.0.2", host: "172.18.0.2" });
  expect(Object.fromEntries(made.map(({ key, value }) => [key, value]))).toEqual(want);
});
