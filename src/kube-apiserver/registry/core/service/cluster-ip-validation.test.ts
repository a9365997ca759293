import { expect, test } from "vitest";
import type { Service, ServiceSpec } from "#api/generated/core/v1.ts";
import { validateClusterIpFields, validateClusterIpUpdate } from "./cluster-ip-validation.ts";

const service = (spec: Partial<ServiceSpec>): Service => ({ metadata: { name: "a" }, spec: { type: "ClusterIP", ...spec } });
const headless = { clusterIP: "None", clusterIPs: ["None"] };
const one = { clusterIPs: ["10.0.0.1"], ipFamilies: ["IPv4"] };
const two = { clusterIPs: ["10.0.0.1", "fd00::1"], ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "PreferDualStack" };
const NO_CHANGE = "may not change once set";

test.each<[string, Partial<ServiceSpec>, Partial<ServiceSpec>, string[]]>([
  ["nothing", one, one, []],
  ["families of a headless one", { ...headless, ipFamilies: ["IPv6"] }, { ...headless, ipFamilies: ["IPv4"] }, []],
  [
    "an address for none",
    { ...one, ipFamilies: ["IPv6"] },
    { ...headless, ipFamilies: ["IPv4"] },
    [`spec.clusterIPs[0]: Invalid value: ["10.0.0.1"]: ${NO_CHANGE}`],
  ],
  [
    "the second family",
    { ...two, ipFamilies: ["IPv4", "IPv4"] },
    two,
    [`spec.ipFamilies[0]: Invalid value: ["IPv4","IPv4"]: ${NO_CHANGE}`],
  ],
  [
    "the first family of one more",
    { ...two, ipFamilies: ["IPv6", "IPv4"] },
    one,
    [`spec.ipFamilies[0]: Invalid value: ["10.0.0.1","fd00::1"]: ${NO_CHANGE}`],
  ],
  ["one address less, by policy", { ...one, ipFamilyPolicy: "SingleStack" }, two, []],
  [
    "one address less",
    { ...one, ipFamilyPolicy: "PreferDualStack" },
    two,
    [
      "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' when releasing the secondary clusterIP",
      "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' when releasing the secondary ipFamily",
    ],
  ],
])("a change of %s", (_, now, old, want) => {
  expect(validateClusterIpUpdate(service(now), service(old)).map(({ field, message }) => `${field}: ${message}`)).toEqual(want);
});

test("families are held against addresses whatever else is wrong", () => {
  const errors = validateClusterIpFields(
    service({ clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"], ipFamilies: ["IPv6"], ipFamilyPolicy: "Odd" }),
    undefined,
  );
  expect(errors.map(({ field }) => field)).toEqual(["spec.ipFamilyPolicy", "spec.clusterIPs[0]"]);
});
