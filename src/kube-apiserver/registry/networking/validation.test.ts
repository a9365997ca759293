import { expect, test } from "vitest";
import type { Ingress, IngressClass, IPAddress, NetworkPolicy, ServiceCIDR } from "#api/generated/networking/v1.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { validateIngress, validateIngressUpdate } from "./ingress/validation.ts";
import { validateIngressClass, validateIngressClassUpdate } from "./ingress-class/validation.ts";
import { ipAddressNameErrors, validateIpAddress } from "./ip-address/validation.ts";
import { networkPolicyWarnings, validateNetworkPolicy, validateNetworkPolicyUpdate } from "./network-policy/validation.ts";
import { validateServiceCidr, validateServiceCidrUpdate } from "./service-cidr/validation.ts";

const fields = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, type }) => `${field} ${type.replace("FieldValue", "")}`);
const service = { name: "web", port: { number: 80 } };
const path = (change: object): object => ({ path: "/", pathType: "Prefix", backend: { service }, ...change });
const ingress = (spec: object): Ingress => ({ metadata: { name: "a" }, spec }) as Ingress;
const ruled = (change: object, host = "a.example.com"): Ingress =>
  ingress({ rules: [{ host, http: { paths: [path(change)] } }] });
const at = "spec.rules[0].http.paths[0]";

const ingresses: [string, Ingress, string[]][] = [
  ["a good one", ruled({}), []],
  ["nothing", ingress({}), ["spec Invalid"]],
  ["a relative path", ruled({ path: "x" }), [`${at}.path Invalid`]],
  ["a path with dots", ruled({ path: "/a/../b" }), [`${at}.path Invalid`]],
  ["any path of an implementation", ruled({ path: "/a/../b", pathType: "ImplementationSpecific" }), []],
  ["no path type", ruled({ pathType: undefined }), [`${at}.pathType Required`]],
  ["two ports", ruled({ backend: { service: { name: "w", port: { name: "x", number: 1 } } } }), [`${at}.backend Invalid`]],
  ["an address for a host", ruled({}, "1.2.3.4"), ["spec.rules[0].host Invalid"]],
  ["a wildcard in the wrong place", ruled({}, "a.*.com"), ["spec.rules[0].host Invalid"]],
];
test.each(ingresses)("ingress with %s", (_name, object, want) => {
  expect(fields(validateIngress(object))).toEqual(want);
});

test("a secret name that was bad before may stay", () => {
  const bad = ingress({ defaultBackend: { service }, tls: [{ secretName: "A_B" }] });
  expect(fields(validateIngress(bad))).toEqual(["spec.tls[0].secretName Invalid"]);
  expect(validateIngressUpdate(bad, bad)).toEqual([]);
});

const ingressClass = (spec: object): IngressClass => ({ metadata: {}, spec }) as IngressClass;
const classes: [string, IngressClass, string[]][] = [
  ["a controller", ingressClass({ controller: "example.com/x" }), []],
  ["no domain", ingressClass({ controller: "x" }), ["spec.controller Invalid"]],
  [
    "a namespace for cluster parameters",
    ingressClass({ controller: "a.b/c", parameters: { kind: "K", name: "n", scope: "Cluster", namespace: "x" } }),
    ["spec.parameters.namespace Forbidden"],
  ],
];
test.each(classes)("ingress class with %s", (_name, object, want) => {
  expect(fields(validateIngressClass(object))).toEqual(want);
});
test("the controller of a class cannot change", () => {
  const change = validateIngressClassUpdate(ingressClass({ controller: "a.b/c" }), ingressClass({ controller: "a.b/d" }));
  expect(fields(change)).toEqual(["spec.controller Invalid"]);
});

const policy = (rule: object): NetworkPolicy => ({ metadata: {}, spec: { podSelector: {}, ingress: [rule] } }) as NetworkPolicy;
const block = (cidr: string, except: string[] = []): NetworkPolicy => policy({ from: [{ ipBlock: { cidr, except } }] });
const policies: [string, NetworkPolicy, string[]][] = [
  ["a port range", policy({ ports: [{ port: 80, endPort: 90 }] }), []],
  [
    "a range that ends before it begins",
    policy({ ports: [{ port: 80, endPort: 79 }] }),
    ["spec.ingress[0].ports[0].endPort Invalid"],
  ],
  ["an empty peer", policy({ from: [{}] }), ["spec.ingress[0].from[0] Required"]],
  ["an exception inside", block("10.0.0.0/8", ["10.1.0.0/16"]), []],
  ["an exception outside", block("10.0.0.0/8", ["11.0.0.0/16"]), ["spec.ingress[0].from[0].ipBlock.except[0] Invalid"]],
  ["bits behind the prefix", block("10.1.2.3/8"), ["spec.ingress[0].from[0].ipBlock.cidr Invalid"]],
];
test.each(policies)("network policy with %s", (_name, object, want) => {
  expect(fields(validateNetworkPolicy(object))).toEqual(want);
});
test("a network that was bad before may stay, with a warning", () => {
  const bad = block("10.1.2.3/8");
  expect(validateNetworkPolicyUpdate(bad, bad)).toEqual([]);
  expect(networkPolicyWarnings(bad)).toHaveLength(1);
});

test("an address is named by itself and has a parent", () => {
  expect(ipAddressNameErrors("10.0.0.1")).toEqual([]);
  expect(ipAddressNameErrors("a")).toEqual(["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]);
  expect(fields(validateIpAddress({ metadata: {}, spec: {} } as IPAddress))).toEqual(["spec.parentRef Required"]);
});

test("a service range may only get a second family", () => {
  const range = (...cidrs: string[]): ServiceCIDR => ({ metadata: {}, spec: { cidrs } }) as ServiceCIDR;
  expect(fields(validateServiceCidr(range("10.0.0.0/24", "11.0.0.0/24")))).toEqual(["spec.cidrs Invalid"]);
  expect(validateServiceCidrUpdate(range("10.0.0.0/24", "2001:db8::/64"), range("10.0.0.0/24"))).toEqual([]);
  expect(fields(validateServiceCidrUpdate(range("10.0.1.0/24"), range("10.0.0.0/24")))).toEqual(["spec.cidrs[0] Invalid"]);
});
