import { expect, test } from "vitest";
import { internalEqual, toInternal } from "./internal-form.ts";

const container = { name: "a", image: "i" };

test.each<{ name: string; a: object | undefined; b: object | undefined; equal: boolean }>([
  { name: "absent and empty maps are one", a: { nodeSelector: {} }, b: {}, equal: true },
  {
    name: "absent and empty lists are one",
    a: { containers: [container], volumes: [] },
    b: { containers: [container] },
    equal: true,
  },
  {
    name: "absent structs held by value have zero values",
    a: { containers: [container] },
    b: { containers: [{ ...container, resources: {} }] },
    equal: true,
  },
  {
    name: "an absent quantity is nought",
    a: { containers: [{ ...container, env: [{ name: "A", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } }] }] },
    b: {
      containers: [
        { ...container, env: [{ name: "A", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "0" } } }] },
      ],
    },
    equal: true,
  },
  { name: "a pointer that is set is not absent", a: { affinity: {} }, b: {}, equal: false },
  {
    name: "an empty label selector is not an absent one",
    a: { topologySpreadConstraints: [{ maxSkew: 1, labelSelector: {} }] },
    b: { topologySpreadConstraints: [{ maxSkew: 1 }] },
    equal: false,
  },
  { name: "lists differ by length", a: { containers: [container] }, b: { containers: [container, container] }, equal: false },
  { name: "values differ", a: { hostname: "a" }, b: { hostname: "b" }, equal: false },
  { name: "an absent spec is a spec of zeros", a: undefined, b: { hostNetwork: false }, equal: true },
])("$name", ({ a, b, equal }) => {
  expect(internalEqual("PodSpec", a, b)).toBe(equal);
  expect(internalEqual("PodSpec", b, a)).toBe(equal);
});

test("forms tell empty lists and maps from none", () => {
  const { NodeSelector, Tolerations, HostAliases } = toInternal("PodSpec", { nodeSelector: {}, hostAliases: [] });
  expect({ NodeSelector, Tolerations, HostAliases }).toEqual({ NodeSelector: {}, Tolerations: null, HostAliases: [] });
});

test("label selectors are printed with what their type always writes", () => {
  const term = { labelSelector: { matchExpressions: [{ operator: "In", values: ["x"] }] }, topologyKey: "z" };
  expect(JSON.stringify(toInternal("PodAffinityTerm", term).LabelSelector)).toBe(
    '{"matchExpressions":[{"key":"","operator":"In","values":["x"]}]}',
  );
});
