import { expect, test } from "vitest";
import type { APIService } from "#api/generated/apiregistration/v1.ts";
import type { Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { indexApiServices } from "./api-service-index.ts";
import { registrationOf } from "./auto-registration.ts";
import { LOCAL, PASSED, verdictOfService, withVerdict } from "./availability.ts";
import { userHeaders } from "./front-proxy.ts";

const apiService = (group: string, version: string, more: Partial<APIService["spec"]> = {}): APIService => ({
  metadata: { name: `${version}.${group}` },
  spec: { group, version, groupPriorityMinimum: 100, versionPriority: 10, ...more },
});
const REMOTE = apiService("g", "v1", { service: { namespace: "n", name: "s", port: 443 } });
const SERVICE = { metadata: {}, spec: { ports: [{ port: 443, name: "api" }] } } as unknown as Service;
const slice = (more: object): EndpointSlice =>
  ({
    metadata: {},
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.0.0.1"] }],
    ports: [{ name: "api", port: 8443 }],
    ...more,
  }) as EndpointSlice;

test.each([
  {
    name: "no service",
    state: { service: undefined, slices: [] },
    reason: "ServiceNotFound",
    says: 'service/s in "n" is not present',
  },
  {
    name: "another port",
    state: { service: { metadata: {}, spec: { ports: [{ port: 80 }] } } as unknown as Service, slices: [] },
    reason: "ServicePortError",
    says: 'service/s in "n" is not listening on port 443',
  },
  {
    name: "no slices",
    state: { service: SERVICE, slices: [] },
    reason: "EndpointsNotFound",
    says: 'cannot find endpointslices for service/s in "n"',
  },
  {
    name: "nobody ready",
    state: { service: SERVICE, slices: [slice({ endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: false } }] })] },
    reason: "MissingEndpoints",
    says: 'endpointslices for service/s in "n" have no addresses with port name "api"',
  },
  {
    name: "a port of another name",
    state: { service: SERVICE, slices: [slice({ ports: [{ name: "web", port: 1 }] })] },
    reason: "MissingEndpoints",
    says: 'endpointslices for service/s in "n" have no addresses with port name "api"',
  },
  { name: "a ready endpoint", state: { service: SERVICE, slices: [slice({})] }, reason: undefined, says: undefined },
])("$name: $reason", ({ state, reason, says }) => {
  const verdict = verdictOfService(REMOTE, state);
  expect([verdict?.reason, verdict?.message]).toEqual([reason, says]);
});

test("conditions change only when the verdict does, and keep their time while the status stays", () => {
  const first = withVerdict(undefined, LOCAL, "then");
  expect(first).toEqual([{ type: "Available", lastTransitionTime: "then", ...LOCAL }]);
  expect(withVerdict(first, LOCAL, "now")).toBe(first);
  expect(withVerdict(first, PASSED, "now")[0]).toMatchObject({ reason: "Passed", lastTransitionTime: "then" });
  expect(withVerdict(first, { ...LOCAL, status: "False" }, "now")[0]?.lastTransitionTime).toBe("now");
});

test("groups are ordered by priority, versions by priority and then by what they are", () => {
  const { groups, remote } = indexApiServices([
    apiService("b", "v1beta1"),
    apiService("b", "v1"),
    apiService("b", "v2", { versionPriority: 1 }),
    apiService("a", "v1"),
    apiService("top", "v1", { groupPriorityMinimum: 200 }),
    apiService("", "v1"),
    REMOTE,
  ]);
  expect(groups.map(({ name, versions }) => [name, ...versions])).toEqual([
    ["top", "v1"],
    ["a", "v1"],
    ["b", "v1", "v1beta1", "v2"],
    ["g", "v1"],
  ]);
  expect([...remote]).toEqual([["g/v1", expect.objectContaining({ service: "s", namespace: "n", port: 443, available: false })]]);
});

test.each([
  { served: true, existing: undefined, want: "create" },
  { served: false, existing: undefined, want: "none" },
  { served: true, existing: "true", want: "none" },
  { served: false, existing: "true", want: "delete" },
  { served: false, existing: "onstart", want: "none" },
  { served: false, existing: "", want: "none" },
])("served: $served, existing: $existing: $want", ({ served, existing, want }) => {
  const labels = existing ? { "kube-aggregator.kubernetes.io/automanaged": existing } : {};
  const object = existing === undefined ? undefined : { ...REMOTE, metadata: { name: "v1.g", labels } };
  expect(registrationOf(served, object)).toBe(want);
});

test("headers say who asks, in names that headers may have", () => {
  const user = { name: "jane", uid: "7", groups: ["a", "b"], extra: { "example.com/Scope": ["x"], "50%": ["y"] } };
  expect(userHeaders(user)).toEqual({
    "x-remote-user": "jane",
    "x-remote-uid": "7",
    "x-remote-group": ["a", "b"],
    "x-remote-extra-example.com%2Fscope": ["x"],
    "x-remote-extra-50%25": ["y"],
  });
});
