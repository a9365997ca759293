import { expect, test } from "vitest";
import type { Node, Pod, Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import type { Action } from "./plan.ts";
import { reconcile } from "./reconcile.ts";

const service = (more: Partial<NonNullable<Service["spec"]>> = {}): Service => ({
  metadata: { name: "s", namespace: "ns", uid: "s", labels: { a: "b" } },
  spec: { clusterIP: "10.0.0.1", ipFamilies: ["IPv4"], selector: { app: "s" }, ports: [{ port: 80, protocol: "TCP" }], ...more },
});
const pod = (
  index: number,
  more: { ready?: boolean; deleted?: boolean; node?: string; phase?: string; ip?: string } = {},
): Pod => ({
  metadata: { name: `p${index}`, namespace: "ns", uid: `u${index}`, ...(more.deleted ? { deletionTimestamp: "x" } : {}) },
  spec: { nodeName: more.node ?? "n", containers: [] },
  status: {
    phase: more.phase ?? "Running",
    podIP: more.ip ?? `10.1.0.${index}`,
    podIPs: [{ ip: more.ip ?? `10.1.0.${index}` }],
    conditions: [{ type: "Ready", status: more.ready === false ? "False" : "True" }],
  },
});
const node: Node = { metadata: { name: "n", labels: { "topology.kubernetes.io/zone": "z" } }, spec: {} };

function run(object: Service, pods: readonly Pod[], slices: readonly EndpointSlice[] = []): readonly Action[] {
  const nodeOf = (name: string): Node | undefined => (name === "n" ? node : undefined);
  return reconcile({ service: object, pods, nodeOf, slices, triggerTime: undefined });
}

/** The slices after the actions, as the server would hold them. */
function apply(actions: readonly Action[], slices: readonly EndpointSlice[] = []): EndpointSlice[] {
  const byName = new Map(slices.map((slice) => [slice.metadata.name, slice]));
  for (const [i, { type, slice }] of actions.entries()) {
    const name = slice.metadata.name ?? `s-${byName.size}-${i}`;
    if (type === "delete") byName.delete(name);
    else byName.set(name, { ...slice, metadata: { ...slice.metadata, name, uid: name } });
  }
  return [...byName.values()];
}

const sizes = (slices: readonly EndpointSlice[]): number[] => slices.map(({ endpoints }) => endpoints?.length ?? 0);
const some = (count: number): Pod[] => Array.from({ length: count }, (_, i) => pod(i, { ip: `10.1.${i >> 8}.${i & 255}` }));

test("a new service's slice, in full", () => {
  expect(run(service(), [pod(1)])).toEqual([
    {
      type: "create",
      slice: {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          generateName: "s-",
          namespace: "ns",
          labels: {
            a: "b",
            "kubernetes.io/service-name": "s",
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
          },
          annotations: {},
          ownerReferences: [
            { apiVersion: "v1", kind: "Service", name: "s", uid: "s", controller: true, blockOwnerDeletion: true },
          ],
        },
        addressType: "IPv4",
        ports: [{ name: "", port: 80, protocol: "TCP" }],
        endpoints: [
          {
            addresses: ["10.1.0.1"],
            conditions: { ready: true, serving: true, terminating: false },
            targetRef: { kind: "Pod", namespace: "ns", name: "p1", uid: "u1" },
            nodeName: "n",
            zone: "z",
          },
        ],
      },
    },
  ]);
});

test.each([
  { name: "not ready", pods: [pod(1, { ready: false })], want: [{ ready: false, serving: false, terminating: false }] },
  { name: "terminating", pods: [pod(1, { deleted: true })], want: [{ ready: false, serving: true, terminating: true }] },
  { name: "finished", pods: [pod(1, { phase: "Succeeded" })], want: [] },
  { name: "on an unknown node", pods: [pod(1, { node: "ghost" })], want: [] },
  {
    name: "on an unknown node of a service that publishes everything",
    spec: { publishNotReadyAddresses: true },
    pods: [pod(1, { node: "ghost", ready: false })],
    want: [{ ready: true, serving: false, terminating: false }],
  },
])("conditions of a pod that is $name", ({ spec, pods, want }) => {
  const [slice] = apply(run(service(spec), pods));
  expect(slice?.endpoints?.map(({ conditions }) => conditions)).toEqual(want);
});

test("slices hold a hundred endpoints each, and stay when nothing changes", () => {
  const slices = apply(run(service(), some(250)));
  expect(sizes(slices)).toEqual([100, 100, 50]);
  expect(run(service(), some(250), slices)).toEqual([]);
});

test("one more pod changes one slice, and so does one less", () => {
  const slices = apply(run(service(), some(150)));
  const more = run(service(), some(151), slices);
  expect(more.map(({ type }) => type)).toEqual(["update"]);
  const after = apply(more, slices);
  expect(sizes(after)).toEqual([100, 51]);
  expect(run(service(), some(150), after).map(({ type }) => type)).toEqual(["update"]);
});

test("without pods one empty slice stays, and is used again", () => {
  const empty = apply(run(service(), []));
  expect(sizes(empty)).toEqual([0]);
  expect(run(service(), [], empty)).toEqual([]);
  const filled = run(service(), [pod(1)], empty);
  expect(filled.map(({ type, slice }) => [type, slice.metadata.name])).toEqual([["update", empty[0]?.metadata.name]]);
});
