import type { Container, PodSpec } from "#api/generated/core/v1.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";

/** Calls `visit` for init containers, containers and ephemeral containers, in upstream's order. */
export function visitContainers(spec: PodSpec, path: FieldPath, visit: (container: Container, path: FieldPath) => void): void {
  for (const field of ["initContainers", "containers", "ephemeralContainers"] as const) {
    const containers: readonly Container[] | undefined = spec[field];
    if (!containers?.length) continue;
    containers.forEach((container, i) => {
      visit(container, path.child(field).index(i));
    });
  }
}
