import type { Container, ContainerFilter } from "../container.ts";
import type { PodSandbox, PodSandboxFilter } from "../pod-sandbox.ts";

type Labels = Readonly<Record<string, string>>;

/** Whether labels have all that a selector names. */
function hasLabels(labels: Labels, selector: Labels = {}): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** Whether a sandbox is to be listed. */
export function fitsSandbox({ id, state, labels }: PodSandbox, filter: PodSandboxFilter): boolean {
  return (filter.id ?? id) === id && (filter.state ?? state) === state && hasLabels(labels, filter.labelSelector);
}

/** Whether a container is to be listed. */
export function fitsContainer({ id, state, sandboxId, labels }: Container, filter: ContainerFilter): boolean {
  const isOfIt = (filter.id ?? id) === id && (filter.sandboxId ?? sandboxId) === sandboxId;
  return isOfIt && (filter.state ?? state) === state && hasLabels(labels, filter.labelSelector);
}
