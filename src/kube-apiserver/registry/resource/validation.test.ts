import { beforeAll, expect, test } from "vitest";
import type { ResourceClaim, ResourceClaimSpec, ResourceSlice } from "#api/generated/resource/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { adminAccessErrors } from "./admin-access.ts";
import { validateClaimSpec } from "./claim-validation.ts";
import { setClaimDefaults } from "./request-defaults.ts";
import { validateResourceClaimStatus } from "./resource-claim/status-validation.ts";
import { validateResourceSlice } from "./resource-slice/validation.ts";

beforeAll(async () => void (await loadKubernetesCel()));

const fields = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, type }) => `${field} ${type.replace("FieldValue", "")}`);
const claim = (request: object, more: object = {}): ResourceClaimSpec => {
  const spec = { devices: { requests: [{ name: "a", ...request }], ...more } };
  setClaimDefaults(spec);
  return spec as ResourceClaimSpec;
};
const exactly = { deviceClassName: "gpu.example.com" };
const at = "spec.devices";

const claims: [string, ResourceClaimSpec, string[]][] = [
  ["one device", claim({ exactly }), []],
  ["neither kind of request", claim({}), [`${at}.requests[0] Required`]],
  ["both kinds", claim({ exactly, firstAvailable: [{ name: "b", ...exactly }] }), [`${at}.requests[0] Invalid`]],
  ["less than one device", claim({ exactly: { ...exactly, count: -1 } }), [`${at}.requests[0].exactly.count Invalid`]],
  [
    "an alternative twice",
    claim({
      firstAvailable: [
        { name: "b", ...exactly },
        { name: "b", ...exactly },
      ],
    }),
    [`${at}.requests[0].firstAvailable[1] Duplicate`],
  ],
  [
    "a constraint on an alternative",
    claim({ firstAvailable: [{ name: "b", ...exactly }] }, { constraints: [{ requests: ["a/b"], matchAttribute: "x.com/y" }] }),
    [],
  ],
  [
    "a constraint on nothing",
    claim({ exactly }, { constraints: [{ requests: ["z"], matchAttribute: "y" }] }),
    [`${at}.constraints[0].requests[0] Invalid`, `${at}.constraints[0].matchAttribute Invalid`],
  ],
  [
    "more alternatives than are looked at",
    claim({ firstAvailable: Array.from({ length: 9 }, () => ({ name: "B", ...exactly })) }),
    [`${at}.requests[0].firstAvailable TooMany`],
  ],
  [
    "a reference twice, behind its other faults",
    claim({ exactly }, { constraints: [{ requests: ["a/b/c", "a", "a"], matchAttribute: "X.com/y" }] }),
    [`${at}.constraints[0].requests[0] Invalid`, `${at}.constraints[0].requests[2] Duplicate`],
  ],
  [
    "tolerations of every fault",
    claim({
      exactly: {
        ...exactly,
        tolerations: [
          { operator: "Exists", value: "x" },
          { operator: "y", effect: "z" },
        ],
      },
    }),
    [
      `${at}.requests[0].exactly.tolerations[0].value Invalid`,
      `${at}.requests[0].exactly.tolerations[1].operator NotSupported`,
      `${at}.requests[0].exactly.tolerations[1].effect NotSupported`,
    ],
  ],
  [
    "parameters of too many bytes",
    claim({ exactly }, { config: [{ opaque: { driver: "d", parameters: { a: "x".repeat(10240) } } }] }),
    [`${at}.config[0].opaque.parameters TooLong`],
  ],
  [
    "no parameters",
    claim({ exactly }, { config: [{ opaque: { driver: "d" } }] }),
    [`${at}.config[0].opaque.parameters Required`],
  ],
];
test.each(claims)("claim with %s", (_name, spec, want) => {
  expect(fields(validateClaimSpec(spec, FieldPath.of("spec")))).toEqual(want);
});

test("only labelled namespaces look into devices of others", () => {
  const stores = (labels: object): Stores => ({ of: () => ({ cached: () => ({ metadata: { labels } }) }) }) as unknown as Stores;
  const spec = claim({ exactly: { ...exactly, adminAccess: true } });
  expect(fields(adminAccessErrors(spec, "a", stores({})))).toEqual([`${at}.requests[0].adminAccess Forbidden`]);
  expect(adminAccessErrors(spec, "a", stores({ "resource.kubernetes.io/admin-access": "true" }))).toEqual([]);
});

const slice = (change: object): ResourceSlice =>
  ({
    metadata: {},
    spec: { driver: "d", nodeName: "n", pool: { name: "p", resourceSliceCount: 1 }, ...change },
  }) as ResourceSlice;
const slices: [string, ResourceSlice, string[]][] = [
  ["a node", slice({}), []],
  ["two places", slice({ allNodes: true }), ["spec Invalid"]],
  ["an empty attribute", slice({ devices: [{ name: "a", attributes: { x: {} } }] }), ["spec.devices[0].attributes[x] Invalid"]],
  [
    "a bad version",
    slice({ devices: [{ name: "a", attributes: { x: { version: "1" } } }] }),
    ["spec.devices[0].attributes[x].version Invalid"],
  ],
];
const device = (change: object): ResourceSlice => slice({ devices: [{ name: "a", ...change }] });
const policy = (requestPolicy: object): ResourceSlice =>
  device({ allowMultipleAllocations: true, capacity: { m: { value: "10", requestPolicy } } });
const own = "spec.devices[0]";
const requestPolicy = `${own}.capacity[m].requestPolicy`;
slices.push(
  ["an empty node", slice({ nodeName: "" }), ["spec.nodeName Invalid", "spec Required"]],
  ["what is not all nodes", slice({ allNodes: false }), ["spec.allNodes Invalid"]],
  ["nothing of both kinds", slice({ devices: [], sharedCounters: [] }), ["spec Invalid"]],
  [
    "too many tainted devices",
    slice({ devices: Array.from({ length: 65 }, (_, i) => ({ name: `d${i}`, taints: [{ key: "k", effect: "None" }] })) }),
    ["spec.devices TooMany"],
  ],
  ["a bad attribute's name", device({ attributes: { "a-b": { int: 1 } } }), [`${own}.attributes Invalid`]],
  [
    "an empty taint",
    device({ taints: [{}] }),
    [`${own}.taints[0].key Invalid`, `${own}.taints[0].key Invalid`, `${own}.taints[0].effect Required`],
  ],
  ["a place of its own", device({ nodeName: "" }), [`${own} Invalid`]],
  ["conditions of one kind", device({ bindingConditions: ["a"] }), [`${own}.bindingFailureConditions Invalid`]],
  [
    "counters of nothing",
    device({ consumesCounters: [{}] }),
    [`${own}.consumesCounters[0].counterSet Required`, `${own}.consumesCounters[0].counters Required`],
  ],
  ["a policy of one user", device({ capacity: { m: { value: "1", requestPolicy: {} } } }), [`${requestPolicy} Forbidden`]],
  ["values without a default", policy({ validValues: ["1"] }), [`${requestPolicy}.default Required`]],
  [
    "values out of order, and too large",
    policy({ default: "1", validValues: ["1", "11", "2"] }),
    [`${requestPolicy}.validValues[2] Invalid`, `${requestPolicy}.validValues[1] Invalid`],
  ],
  ["a range without end", policy({ default: "1", validRange: { min: "1" } }), []],
  [
    "a default beside the steps",
    policy({ default: "4", validRange: { min: "1", max: "7", step: "2" } }),
    [`${requestPolicy}.validRange.step Invalid`],
  ],
);
test.each(slices)("slice with %s", (_name, object, want) => {
  expect(fields(validateResourceSlice(object))).toEqual(want);
});

const ofDevice = { driver: "d", pool: "p", device: "x" };
const allocation = { devices: { results: [{ request: "a", ...ofDevice }] } };
const withStatus = (status: object): ResourceClaim =>
  ({ metadata: { name: "c" }, spec: claim({ exactly }), status }) as unknown as ResourceClaim;
test.each<[string, object, object, string[]]>([
  ["what was asked for", { allocation, devices: [ofDevice] }, {}, []],
  ["a device of others", { allocation, devices: [{ ...ofDevice, device: "y" }] }, {}, ["status.devices[0] Invalid"]],
  ["another allocation", { allocation: { devices: {} } }, { allocation }, ["status.allocation Invalid"]],
  ["consumers of nothing", { reservedFor: [{ resource: "pods", name: "p", uid: "u" }] }, {}, ["status.reservedFor Forbidden"]],
  [
    "an address without its network",
    { allocation, devices: [{ ...ofDevice, networkData: { ips: ["10.0.0.1", "10.0.0.01/8"] } }] },
    {},
    ["status.devices[0].networkData.ips[0] Invalid", "status.devices[0].networkData.ips[1] Invalid"],
  ],
  [
    "a share that is none",
    { allocation: { devices: { results: [{ request: "a", ...ofDevice, shareID: "x" }] } } },
    {},
    ["status.allocation.devices.results[0].shareID Invalid"],
  ],
])("claim whose status has %s", (_name, status, old, want) => {
  expect(fields(validateResourceClaimStatus(withStatus(status), withStatus(old)))).toEqual(want);
});
