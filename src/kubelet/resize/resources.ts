import type { Container, Pod, ResourceRequirements } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";
import { isSidecar } from "../observed-pod.ts";

/** What counts as the same resources, whatever the order of their names. */
const RESIZABLE = ["cpu", "memory"] as const;

/** Those whose resources can change while they run. */
export function resizable({ spec }: Pod): readonly Container[] {
  return [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers];
}

/** The pod with what its containers were given, by their names; the same pod where nothing differs. */
export function withResources(pod: Pod, given: ReadonlyMap<string, ResourceRequirements>): Pod {
  const differs = ({ name, resources }: Container): boolean => given.has(name) && !isSame(given.get(name), resources);
  const { containers, initContainers } = pod.spec;
  if (![...containers, ...(initContainers ?? [])].some(differs)) return pod;
  const give = <T extends Container>(container: T): T =>
    differs(container) ? { ...container, resources: given.get(container.name) } : container;
  const inits = initContainers === undefined ? {} : { initContainers: initContainers.map(give) };
  return { ...pod, spec: { ...pod.spec, containers: containers.map(give), ...inits } };
}

/** What the API was told that the container has that runs now. */
export function toldResources(
  { status }: Pod,
  { name, resources }: Container,
  latest: ContainerStatus | undefined,
): ResourceRequirements | undefined {
  if (latest === undefined) return undefined;
  const told = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const known = told.find((one) => one.name === name && one.containerID?.endsWith(latest.id))?.resources;
  if (known === undefined) return undefined;
  const { limits, requests } = known;
  return { ...resources, ...(limits && { limits }), ...(requests && { requests }) };
}

/** Whether nothing differs that can change while a container runs. */
export function isSame(a: ResourceRequirements | undefined, b: ResourceRequirements | undefined): boolean {
  return RESIZABLE.every((name) => amountsOf(a, name) === amountsOf(b, name));
}

/** What is requested of one resource, and what it is limited to, as one text. */
export function amountsOf({ requests, limits }: ResourceRequirements = {}, name: string): string {
  return `${requests?.[name] ?? ""} ${limits?.[name] ?? ""}`;
}
