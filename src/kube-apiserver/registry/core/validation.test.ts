import { expect, test } from "vitest";
import type { ConfigMap, Endpoints, Event, LimitRange, Namespace, Node, ResourceQuota, Secret } from "#api/generated/core/v1.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { validateConfigMap, validateConfigMapUpdate } from "./config-map/validation.ts";
import { formatEndpoints } from "./endpoints/format.ts";
import { validateEndpoints } from "./endpoints/validation.ts";
import { validateEvent, validateEventUpdate } from "./event/validation.ts";
import { validateLimitRange } from "./limit-range/validation.ts";
import { namespaces } from "./namespace/namespace.ts";
import { nodeColumns } from "./node/columns.ts";
import { validateNode, validateNodeUpdate } from "./node/validation.ts";
import { validateResourceQuota, validateResourceQuotaUpdate } from "./resource-quota/validation.ts";
import { setSecretDefaults } from "./secret/defaults.ts";
import { validateSecret, validateSecretUpdate } from "./secret/validation.ts";

const fields = (errors: readonly FieldError[] | undefined): string[] =>
  (errors ?? []).map(({ field, type }) => `${field} ${type.replace("FieldValue", "")}`);
const metadata = { name: "a", namespace: "default" };
const base64 = (text: string): string => Buffer.from(text).toString("base64");

test.each<[string, Partial<ConfigMap>, string[]]>([
  ["keys of both kinds", { data: { "a.txt": "x" }, binaryData: { b: "eA==" } }, []],
  ["a key that is no file name", { data: { "a/b": "x" } }, ["data[a/b] Invalid"]],
  ["one key twice", { data: { a: "x" }, binaryData: { a: "eA==" } }, ["data[a] Invalid"]],
  ["a MiB and a byte", { data: { a: "x".repeat(1024 * 1024 + 1) } }, ["[] TooLong"]],
])("a config map with %s", (_, change, want) => {
  expect(fields(validateConfigMap({ metadata, ...change }))).toEqual(want);
});

test("what is immutable stays so, with what it holds", () => {
  const old = { metadata, data: { a: "1" }, immutable: true };
  expect(fields(validateConfigMapUpdate({ metadata, data: { a: "2" } }, old))).toEqual(["immutable Forbidden", "data Forbidden"]);
  const secret = { metadata, type: "Opaque", data: { a: "MQ==" }, immutable: true };
  expect(fields(validateSecretUpdate({ ...secret, data: {} }, secret))).toEqual(["data Forbidden"]);
});

test.each<[string, Partial<Secret>, string[]]>([
  ["any keys", { type: "Opaque", data: { a: "eA==" } }, []],
  [
    "no account for its token",
    { type: "kubernetes.io/service-account-token" },
    ["metadata.annotations[kubernetes.io/service-account.name] Required"],
  ],
  ["half a certificate", { type: "kubernetes.io/tls", data: { "tls.crt": "eA==" } }, ["data[tls.key] Required"]],
  ["a user alone", { type: "kubernetes.io/basic-auth", data: { username: "eA==" } }, []],
  ["nobody", { type: "kubernetes.io/basic-auth" }, ["data[username] Required", "data[password] Required"]],
  ["an empty key", { type: "kubernetes.io/ssh-auth", data: { "ssh-privatekey": "" } }, ["data[ssh-privatekey] Required"]],
  [
    "a list for a configuration",
    { type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": base64("[]") } },
    ["data[.dockerconfigjson] Invalid"],
  ],
])("a secret with %s", (_, change, want) => {
  expect(fields(validateSecret({ metadata, ...change }))).toEqual(want);
});

test("texts become data, over what stands there", () => {
  const secret = { metadata: { name: "a" }, data: { a: "eA==" }, stringData: { a: "y", b: "z" } };
  setSecretDefaults(secret);
  expect(secret).toEqual({ metadata: { name: "a" }, type: "Opaque", data: { a: base64("y"), b: base64("z") } });
});

const http = { port: 80, protocol: "TCP" };
test.each<[string, object, string[]]>([
  ["an address and a port", { addresses: [{ ip: "10.0.0.1" }], ports: [http] }, []],
  ["no address", { ports: [http] }, ["subsets[0] Required"]],
  ["the machine's own address", { addresses: [{ ip: "127.0.0.1" }] }, ["subsets[0].addresses[0].ip Invalid"]],
  [
    "ports without names",
    { addresses: [{ ip: "10.0.0.1" }], ports: [http, { ...http, name: "b", port: 81 }] },
    ["subsets[0].ports[0].name Required"],
  ],
])("endpoints with %s", (_, subset, want) => {
  expect(fields(validateEndpoints({ metadata, subsets: [subset] } as Endpoints))).toEqual(want);
});

test.each<[Endpoints["subsets"], string]>([
  [undefined, "<none>"],
  [[{ addresses: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }], ports: [http] }], "10.0.0.1:80,[fd00::1]:80"],
  [[{ addresses: [1, 2, 3, 4, 5].map((n) => ({ ip: `10.0.0.${n}` })) }], "10.0.0.1,10.0.0.2,10.0.0.3 + 2 more..."],
])("endpoints are shown, case %#", (subsets, want) => {
  expect(formatEndpoints({ metadata, ...(subsets && { subsets }) })).toBe(want);
});

test.each<[string, object, string[]]>([
  [
    "a good order",
    { type: "Container", min: { cpu: "1" }, defaultRequest: { cpu: "2" }, default: { cpu: "3" }, max: { cpu: "4" } },
    [],
  ],
  ["an unknown type", { type: "Thing" }, ["spec.limits[0].type Invalid"]],
  ["defaults for pods", { type: "Pod", default: { cpu: "1" } }, ["spec.limits[0].default Forbidden"]],
  ["a least above the most", { type: "Container", min: { cpu: "2" }, max: { cpu: "1" } }, ["spec.limits[0].min[cpu] Invalid"]],
  ["claims without a size", { type: "PersistentVolumeClaim" }, ["spec.limits[0].limits Required"]],
  [
    "a ratio below one",
    { type: "Container", maxLimitRequestRatio: { cpu: "500m" } },
    ["spec.limits[0].maxLimitRequestRatio[cpu] Invalid"],
  ],
])("a limit range with %s", (_, item, want) => {
  expect(fields(validateLimitRange({ metadata, spec: { limits: [item] } } as LimitRange))).toEqual(want);
});

const quota = (spec: object): ResourceQuota => ({ metadata, spec });
test.each<[string, object, string[]]>([
  ["counts and amounts", { hard: { pods: "1", "requests.cpu": "2", "count/widgets.example.com": "3" } }, []],
  ["an unknown resource", { hard: { cats: "1" } }, ["spec.hard[cats] Invalid", "spec.hard[cats] Invalid"]],
  ["half a pod", { hard: { pods: "500m" } }, ["spec.hard[pods] Invalid"]],
  ["less than nothing", { hard: { cpu: "-1" } }, ["spec.hard[cpu] Invalid"]],
  ["scopes that exclude one another", { scopes: ["BestEffort", "NotBestEffort"] }, ["spec.scopes Invalid"]],
  ["amounts that nobody asks for there", { hard: { cpu: "1" }, scopes: ["BestEffort"] }, ["spec.scopes Invalid"]],
  [
    "a scope with values that it has not",
    { scopeSelector: { matchExpressions: [{ scopeName: "Terminating", operator: "In", values: ["x"] }] } },
    ["spec.scopeSelector.matchExpressions.operator Invalid"],
  ],
])("a quota with %s", (_, spec, want) => {
  expect(fields(validateResourceQuota(quota(spec)))).toEqual(want);
});

test("the scopes of a quota stay", () => {
  const changed = validateResourceQuotaUpdate(quota({ scopes: ["Terminating"] }), quota({}));
  expect(fields(changed)).toEqual(["spec.scopes Invalid"]);
});

const context = (apiGroup: string): RequestContext => ({ info: { apiGroup } }) as RequestContext;
const legacy: Event = { metadata, involvedObject: { kind: "Pod", name: "p", namespace: "default" }, reason: "r", message: "m" };
const { involvedObject } = legacy;
const modern: Event = {
  metadata,
  involvedObject,
  eventTime: "2026-01-01T00:00:00.000000Z",
  reportingComponent: "example.com/c",
  reportingInstance: "c-1",
  action: "Do",
  reason: "Done",
  type: "Normal",
};
test.each<[string, string, Event, string[]]>([
  ["an event of the core group", "", legacy, []],
  ["about another namespace", "", { ...legacy, involvedObject: { namespace: "other" } }, ["involvedObject.namespace Invalid"]],
  ["of the new group", "events.k8s.io", modern, []],
  [
    "with what the new group has no more",
    "events.k8s.io",
    { ...modern, count: 1, source: { component: "c" } },
    ["count Invalid", "source Invalid"],
  ],
  ["without an action", "events.k8s.io", { ...modern, action: "" }, ["action Required"]],
  [
    "a series of one",
    "events.k8s.io",
    { ...modern, series: { count: 1, lastObservedTime: "2026-01-01T00:00:00.000000Z" } },
    ["series.count Invalid"],
  ],
])("%s", (_, group, event, want) => {
  expect(fields(validateEvent(event, context(group)))).toEqual(want);
});

test("an event of the new group stays as it is, but for its series", () => {
  const later = { ...modern, series: { count: 2, lastObservedTime: "2026-01-01T00:00:00.000000Z" }, note: "x" };
  expect(validateEventUpdate(later, modern, context("events.k8s.io"))).toEqual([]);
  expect(fields(validateEventUpdate({ ...modern, message: "other" }, modern, context("events.k8s.io")))).toEqual([
    "message Invalid",
  ]);
});

test("a namespace waits for its finalizers, and only `finalize` changes them", () => {
  const { strategy } = namespaces;
  const made: Namespace = { metadata: { name: "a" }, spec: {} };
  strategy.prepareForCreate?.(made as never, context(""));
  expect(made).toEqual({
    metadata: { name: "a", labels: { "kubernetes.io/metadata.name": "a" } },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  });
  const changed: Namespace = { metadata: { name: "a" }, spec: { finalizers: [] } };
  strategy.prepareForUpdate?.(changed as never, made, context(""));
  expect([changed.spec?.finalizers, strategy.finalization?.pending(changed)]).toEqual([["kubernetes"], true]);
  expect(fields(strategy.validate?.({ metadata: {}, spec: { finalizers: ["mine"] } }, context("")))).toEqual([
    "spec.finalizers Invalid",
  ]);
});

const node = (spec: object, status: object = {}): Node => ({ metadata: { name: "n" }, spec, status }) as Node;
test.each<[string, Node, string[]]>([
  ["a taint", node({ taints: [{ key: "k", effect: "NoSchedule" }] }), []],
  [
    "a taint twice",
    node({
      taints: [
        { key: "k", effect: "NoSchedule" },
        { key: "k", value: "v", effect: "NoSchedule" },
      ],
    }),
    ["metadata.taints[1] Duplicate"],
  ],
  ["an unknown effect", node({ taints: [{ key: "k", effect: "Never" }] }), ["metadata.taints[0].effect NotSupported"]],
  ["networks of both families", node({ podCIDRs: ["10.0.0.0/24", "fd00::/64"] }), []],
  ["two networks of one family", node({ podCIDRs: ["10.0.0.0/24", "10.0.1.0/24"] }), ["spec.podCIDRs Invalid"]],
  ["less than nothing", node({}, { capacity: { cpu: "-1" } }), ["status.capacity.cpu Invalid"]],
])("a node with %s", (_, object, want) => {
  expect(fields(validateNode(object))).toEqual(want);
});

test("networks and provider of a node are set once", () => {
  const old = node({ podCIDRs: ["10.0.0.0/24"], providerID: "a" });
  expect(fields(validateNodeUpdate(node({ podCIDRs: ["10.0.1.0/24"], providerID: "b" }), old))).toEqual([
    "spec.podCIDRs Forbidden",
    "spec.providerID Forbidden",
  ]);
});

test("a node is shown with its state and its roles", () => {
  const object: Node = {
    metadata: { name: "n", labels: { "node-role.kubernetes.io/worker": "", "kubernetes.io/role": "edge" } },
    spec: { unschedulable: true },
    status: { conditions: [{ type: "Ready", status: "False" }] },
  };
  expect(nodeColumns.slice(0, 3).map(({ cell }) => cell(object, 0))).toEqual(["n", "NotReady,SchedulingDisabled", "edge,worker"]);
});
