import type { Container, Pod } from "#api/generated/core/v1.ts";

/** Whether an update of a pod may change what it is judged by: its images, or containers that were added. */
export function isSignificantUpdate({ spec }: Pod, { spec: old }: Pod): boolean {
  return (
    differs(spec?.containers, old?.containers) ||
    differs(spec?.initContainers, old?.initContainers) ||
    ephemeralDiffers(spec?.ephemeralContainers ?? [], old?.ephemeralContainers ?? [])
  );
}

function differs(containers: readonly Container[] = [], old: readonly Container[] = []): boolean {
  return containers.length !== old.length || containers.some(({ image }, i) => image !== old[i]?.image);
}

type Named = Pick<Container, "name" | "image">;

function ephemeralDiffers(containers: readonly Named[], old: readonly Named[]): boolean {
  return containers.some(({ name, image }) => {
    const before = old.find((other) => other.name === name);
    return before === undefined || before.image !== image;
  });
}
