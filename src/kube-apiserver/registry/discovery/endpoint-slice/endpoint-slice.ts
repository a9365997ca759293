import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, columnsOf, nameColumn } from "../../columns.ts";
import { validateEndpointSlice, validateEndpointSliceUpdate } from "./validation.ts";

const SHOWN_MAX = 3;
const column = columnsOf<EndpointSlice>("discovery.k8s.io/endpointslices");

/** Endpoint slices. */
export const endpointSlices: ResourceDefinition<EndpointSlice> = {
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  singular: "endpointslice",
  scope: "Namespaced",
  storagePrefix: "endpointslices",
  columns: [
    nameColumn,
    column("AddressType", "string", (o) => o.addressType),
    column("Ports", "string", portsOf),
    column("Endpoints", "string", addressesOf),
    ageColumn,
  ],
  strategy: {
    generationChanges: contentChanged,
    setDefaults: (slice) => {
      for (const port of slice.ports ?? []) {
        port.name ??= "";
        port.protocol ??= "TCP";
      }
    },
    validate: validateEndpointSlice,
    validateUpdate: validateEndpointSliceUpdate,
  },
};

function contentChanged(object: EndpointSlice, old: EndpointSlice): boolean {
  if (!semanticEqual(object.metadata.labels, old.metadata.labels)) return true;
  return !semanticEqual({ ...object, metadata: {} }, { ...old, metadata: {} });
}

function portsOf(slice: EndpointSlice): string {
  const ports = slice.ports ?? [];
  return shown(ports.map((port) => String(port.port ?? "*")));
}

function addressesOf(slice: EndpointSlice): string {
  return shown((slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []));
}

function shown(all: readonly string[]): string {
  if (all.length === 0) return "<unset>";
  const text = all.slice(0, SHOWN_MAX).join(",");
  return all.length > SHOWN_MAX ? `${text} + ${all.length - SHOWN_MAX} more...` : text;
}
