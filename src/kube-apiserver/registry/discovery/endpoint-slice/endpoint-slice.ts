import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** EndpointSlices, as served by discovery.k8s.io/v1. */
export const endpointSlices: ResourceDefinition<EndpointSlice> = {
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  singular: "endpointslice",
  scope: "Namespaced",
  storagePrefix: "endpointslices",
  columns: PLAIN_COLUMNS,
  strategy: { generationChanges: contentChanged },
};

function contentChanged(object: EndpointSlice, old: EndpointSlice): boolean {
  if (!semanticEqual(object.metadata.labels, old.metadata.labels)) return true;
  return !semanticEqual({ ...object, metadata: {} }, { ...old, metadata: {} });
}
