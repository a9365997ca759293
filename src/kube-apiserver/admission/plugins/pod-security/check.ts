import type { Container, PodSpec } from "#api/generated/core/v1.ts";

/** What a control looks at: a pod's, or a pod template's, annotations and spec. */
export interface PodLike {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
}

/** Why a pod breaks a control: the control's name for it, and where. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

/** Looks at a pod; undefined where it is allowed. */
export type CheckPod = (pod: PodLike) => Violation | undefined;

/** How a control judges from one minor release on, until its next version. */
export interface VersionedCheck {
  /** The `x` of `v1.x`. */
  readonly since: number;
  readonly check: CheckPod;
  /** Ids of baseline controls that this one includes: they are not asked as well. */
  readonly overrides?: readonly string[];
}

/** One control of the Pod Security Standards (KEP-2579). Versions are in rising order. */
export interface Check {
  readonly id: string;
  readonly level: "baseline" | "restricted";
  readonly versions: readonly VersionedCheck[];
}

/** Init containers, containers and ephemeral containers, in that order. */
export function containersOf({ initContainers, containers, ephemeralContainers }: PodSpec): readonly Container[] {
  return [...(initContainers ?? []), ...(containers ?? []), ...((ephemeralContainers ?? []) as readonly Container[])];
}

/** The names of the containers that a control finds fault with. */
export function namesWhere(spec: PodSpec, isBad: (container: Container) => boolean): string[] {
  return containersOf(spec)
    .filter(isBad)
    .map(({ name }) => name ?? "");
}

/** `"a", "b"`. */
export function quoted(items: Iterable<string>): string {
  return [...items].map((item) => `"${item}"`).join(", ");
}

/** Without duplicates, in the order of their bytes. */
export function sorted(items: Iterable<string>): string[] {
  return [...new Set(items)].sort();
}

/** The word for one, or for any other number. */
export function plural(one: string, many: string, count: number): string {
  return count === 1 ? one : many;
}

/** `container "a"` or `containers "a", "b"`. */
export function containerList(names: readonly string[]): string {
  return `${plural("container", "containers", names.length)} ${quoted(names)}`;
}

/** Who set something: the pod itself, some of its containers, or both. */
export function setters(byPod: boolean, byContainers: readonly string[]): string[] {
  const found = byPod ? ["pod"] : [];
  if (byContainers.length > 0) found.push(containerList(byContainers));
  return found;
}

/** Nothing that is meant for Linux alone is asked of a Windows pod. */
export function exceptOnWindows(check: CheckPod): CheckPod {
  return (pod) => (pod.spec.os?.name === "windows" ? undefined : check(pod));
}

/** Root inside a user namespace is nobody on the host (KEP-127). */
export function exceptInUserNamespace(check: CheckPod): CheckPod {
  return (pod) => (pod.spec.hostUsers === false ? undefined : check(pod));
}
