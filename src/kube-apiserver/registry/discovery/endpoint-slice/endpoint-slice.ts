import type { Endpoint, EndpointSlice } from "#api/generated/discovery/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { validateEndpointSlice, validateEndpointSliceUpdate } from "./validation.ts";
import { addressWarnings, endpointSliceWarnings } from "./warnings.ts";

const HOSTNAME = "kubernetes.io/hostname";
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
    prepareForCreate: (slice, { info }) => {
      if (info.apiVersion !== "v1beta1") dropTopology(slice, []);
    },
    prepareForUpdate: (slice, old, { info }) => {
      if (info.apiVersion !== "v1beta1") dropTopology(slice, old.endpoints ?? []);
    },
    validate: validateEndpointSlice,
    validateUpdate: validateEndpointSliceUpdate,
    warningsOnCreate: endpointSliceWarnings,
    warningsOnUpdate: addressWarnings,
  },
};

/**
 * The topology that the v1beta1 API had stays only while nothing changes. An endpoint that had its node's name there keeps
 * it as `nodeName`.
 */
function dropTopology(slice: Draft<EndpointSlice>, old: readonly Endpoint[]): void {
  if (semanticEqual(slice.endpoints ?? [], old)) return;
  const known = old.map((endpoint) => endpoint.deprecatedTopology?.[HOSTNAME]);
  for (const endpoint of slice.endpoints ?? []) {
    const name = endpoint.deprecatedTopology?.[HOSTNAME];
    if (endpoint.nodeName === undefined && name && known.includes(name) && isDns1123Subdomain(name).length === 0) {
      endpoint.nodeName = name;
    }
    delete endpoint.deprecatedTopology;
  }
}

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
