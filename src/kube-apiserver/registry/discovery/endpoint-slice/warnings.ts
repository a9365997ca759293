import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { warningsForIp } from "#apimachinery/validation/ip.ts";

/** Who writes the addresses in their usual notation. */
const CONTROLLERS: readonly (string | undefined)[] = [
  "endpointslice-controller.k8s.io",
  "endpointslicemirroring-controller.k8s.io",
];

/** Upstream's `warnOnDeprecatedAddressType` and `warnOnBadIPs`: those of a new slice. */
export function endpointSliceWarnings(slice: EndpointSlice): string[] {
  const warnings = slice.addressType === "FQDN" ? ["spec.addressType: FQDN endpoints are deprecated"] : [];
  return [...warnings, ...addressWarnings(slice)];
}

/** Upstream's `warnOnBadIPs`. */
export function addressWarnings({ metadata, endpoints }: EndpointSlice): string[] {
  if (CONTROLLERS.includes(metadata?.labels?.["endpointslice.kubernetes.io/managed-by"])) return [];
  const path = FieldPath.of("endpoints");
  return (endpoints ?? []).flatMap((endpoint, i) =>
    (endpoint.addresses ?? []).flatMap((address, j) => warningsForIp(path.index(i).child("addresses").index(j), address)),
  );
}
