import { describe, expect, test } from "vitest";
import { RuntimeConfig } from "./runtime-config.ts";

test.each<{ given: string[]; served: [group: string, version: string, resource: string]; want: boolean }>([
  { given: [], served: ["apps", "v1", "deployments"], want: true },
  { given: [], served: ["networking.k8s.io", "v1beta1", "ipaddresses"], want: false },
  { given: ["api/all=true"], served: ["networking.k8s.io", "v1beta1", "ipaddresses"], want: true },
  { given: ["api/beta=true"], served: ["networking.k8s.io", "v1beta1", "ipaddresses"], want: true },
  { given: ["api/beta=true"], served: ["internal.apiserver.k8s.io", "v1alpha1", "storageversions"], want: false },
  {
    given: ["api/all=true", "api/alpha=false"],
    served: ["internal.apiserver.k8s.io", "v1alpha1", "storageversions"],
    want: false,
  },
  { given: ["api/all=false", "/v1=true"], served: ["", "v1", "pods"], want: true },
  { given: ["api/all=false", "/v1"], served: ["apps", "v1", "deployments"], want: false },
  { given: ["batch/v1=false"], served: ["batch", "v1", "jobs"], want: false },
  { given: ["batch/v1=false", "batch/v1/jobs=true"], served: ["batch", "v1", "jobs"], want: true },
  { given: ["batch/v1=false", "batch/v1/jobs=true"], served: ["batch", "v1", "cronjobs"], want: false },
  { given: ["batch/v1/jobs=0"], served: ["batch", "v1", "jobs"], want: false },
])("$given: $served is served: $want", ({ given, served, want }) => {
  expect(new RuntimeConfig(given).serves(...served)).toBe(want);
});

test.each<{ given: string[]; old: [string, string, string]; shared: boolean; want: boolean }>([
  { given: ["api/all=true"], old: ["extensions", "v1beta1", "ingresses"], shared: false, want: false },
  { given: ["extensions/v1beta1"], old: ["extensions", "v1beta1", "ingresses"], shared: false, want: true },
  { given: ["extensions/v1beta1/networkpolicies=true"], old: ["extensions", "v1beta1", "ingresses"], shared: false, want: false },
  { given: ["extensions/v1beta1/ingresses=true"], old: ["extensions", "v1beta1", "ingresses"], shared: false, want: true },
  { given: ["networking.k8s.io/v1beta1"], old: ["networking.k8s.io", "v1beta1", "ingresses"], shared: true, want: false },
  {
    given: ["networking.k8s.io/v1beta1/ingresses"],
    old: ["networking.k8s.io", "v1beta1", "ingresses"],
    shared: true,
    want: true,
  },
])("$given: $old, which v1.36 does not serve, is served: $want", ({ given, old: [group, version, resource], shared, want }) => {
  expect(new RuntimeConfig(given).servesOld(group, version, resource, shared)).toBe(want);
});

describe("what upstream refuses is refused in its words", () => {
  test.each([
    { given: "api/all=false", want: "invalid runtime-config with only api/all=false" },
    { given: "v1=true", want: "runtime-config invalid key v1" },
    { given: "a/b/c/d", want: "runtime-config invalid key a/b/c/d" },
    { given: "b.example.com/v1,a.example.com/v1=true", want: "unknown api groups a.example.com/v1,b.example.com/v1" },
    { given: "apps/v3=true", want: "group version apps/v3 that has not been registered" },
    { given: "api/beta=yes", want: "invalid value api/beta=yes" },
    {
      given: "apps/v1=maybe",
      want: 'invalid value of apps/v1: maybe, err: strconv.ParseBool: parsing "maybe": invalid syntax',
    },
    {
      given: "apps/v1/Deployments=true",
      want: 'invalid key apps/v1/Deployments: group/version/resource and resource is always lowercase plural, not "Deployments"',
    },
  ])("$given", ({ given, want }) => {
    expect(() => new RuntimeConfig(given.split(","))).toThrow(want);
  });
});

test("versions that v1.36 has forgotten are told apart from typing errors", () => {
  const config = new RuntimeConfig(["batch/v2alpha1=true", "extensions/v1beta1=true", "policy/v1beta1=false"]);
  expect(config.forgotten).toEqual(["batch/v2alpha1"]);
  expect(config.named).toEqual(["extensions/v1beta1"]);
});
