import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { warningsForIp } from "#apimachinery/validation/ip.ts";

/** Who writes the addresses in their usual notation. */
const CONTROLLERS: readonly (string | undefined)[] = [
  "endpointslice-controller.k8s.io",
  "endpointslicemirroring-controller.k8s.io",
];

/** Upstream's `warnOnDeprecatedAddressType` and `warnOnBadIPs`. */
export function endpointSliceWarnings({ metadata, addressType, endpoints }: EndpointSlice): string[] {
  const warnings = addressType === "FQDN" ? ["spec.addressType: FQDN endpoints are deprecated"] : [];
  if (CONTROLLERS.includes(metadata?.labels?.["endpointslice.kubernetes.io/managed-by"])) return warnings;
  const path = FieldPath.of("endpoints");
  const addresses = (endpoints ?? []).flatMap((endpoint, i) =>
    (endpoint.addresses ?? []).flatMap((address, j) => warningsForIp(path.index(i).child("addresses").index(j), address)),
  );
  return [...warnings, ...addresses];
}
