import { expect, test } from "vitest";
import type { EndpointSubset, Endpoints, Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { reconcile } from "./reconcile.ts";

const service: Service = { metadata: { name: "s", namespace: "ns" }, spec: {} };
const ports = [{ port: 80 }];
const endpoints = (subsets: EndpointSubset[], metadata: Endpoints["metadata"] = {}): Endpoints => ({
  metadata: { name: "s", namespace: "ns", uid: "u", ...metadata },
  subsets,
});
const one = endpoints([{ addresses: [{ ip: "192.0.2.1" }], ports }]);
const made = (from: Endpoints): EndpointSlice[] =>
  reconcile({ endpoints: from, service, slices: [] }).flatMap((action) =>
    action.type === "create" ? [{ ...action.slice, metadata: { ...action.slice.metadata, name: "s-1" } }] : [],
  );

const cases: { name: string; endpoints?: Endpoints; service?: Service; slices?: EndpointSlice[]; want: string[] }[] = [
  { name: "a subset becomes a slice", endpoints: one, service, want: ["create"] },
  { name: "which then is left alone", endpoints: one, service, slices: made(one), want: [] },
  {
    name: "an annotation is copied",
    endpoints: endpoints(one.subsets as EndpointSubset[], { annotations: { a: "1" } }),
    service,
    slices: made(one),
    want: ["update"],
  },
  {
    name: "other ports take over the slice",
    endpoints: endpoints([{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 81 }] }]),
    service,
    slices: made(one),
    want: ["update"],
  },
  {
    name: "each address family has its own slice",
    endpoints: endpoints([{ addresses: [{ ip: "192.0.2.1" }, { ip: "2001:db8::1" }], ports }]),
    service,
    want: ["create", "create"],
  },
  {
    name: "what is no address is told",
    endpoints: endpoints([{ addresses: [{ ip: "x" }], ports }]),
    service,
    want: ["event"],
  },
  { name: "without Endpoints the slices go", service, slices: made(one), want: ["delete"] },
  { name: "so they do without Service", endpoints: one, slices: made(one), want: ["delete"] },
  {
    name: "and where the Service has a selector",
    endpoints: one,
    service: { ...service, spec: { selector: { a: "b" } } },
    slices: made(one),
    want: ["delete"],
  },
  {
    name: "and where Endpoints do not want it",
    endpoints: endpoints(one.subsets as EndpointSubset[], { labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } }),
    service,
    slices: made(one),
    want: ["delete"],
  },
];
test.each(cases)("$name", ({ endpoints, service, slices = [], want }) => {
  expect(reconcile({ endpoints, service, slices }).map(({ type }) => type)).toEqual(want);
});
