import { beforeAll, expect, test } from "vitest";
import type { ResourceClaimSpec, ResourceSlice } from "#api/generated/resource/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { adminAccessErrors } from "./admin-access.ts";
import { validateClaimSpec } from "./claim-validation.ts";
import { setClaimDefaults } from "./request-defaults.ts";
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
test.each(slices)("slice with %s", (_name, object, want) => {
  expect(fields(validateResourceSlice(object))).toEqual(want);
});
