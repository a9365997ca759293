import type { Endpoints } from "#api/generated/core/v1.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { warningsForIp } from "#apimachinery/validation/ip.ts";

/** Upstream's `endpointsWarnings`: addresses in other notations than the usual, except from the controller. */
export function endpointsWarnings({ metadata, subsets = [] }: Endpoints): string[] {
  if (metadata?.labels?.["endpoints.kubernetes.io/managed-by"] === "endpoint-controller") return [];
  return subsets.flatMap((subset, i) =>
    (["addresses", "notReadyAddresses"] as const).flatMap((field) =>
      (subset[field] ?? []).flatMap(({ ip }, j) => {
        const at = FieldPath.of("subsets").index(i).child(field).index(j).child("ip");
        return warningsForIp(at, ip);
      }),
    ),
  );
}
