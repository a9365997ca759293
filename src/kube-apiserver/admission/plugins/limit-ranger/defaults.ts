import type { Container, LimitRange, Pod } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { ownValue } from "#base/own-value.ts";

const ANNOTATION = "kubernetes.io/limit-ranger";

type Amounts = Record<string, string>;

/** Gives a pod's containers what a limit range says where they say nothing, and notes that in an annotation. */
export function setPodDefaults(limitRange: LimitRange, pod: Draft<Pod>): void {
  const requests: Amounts = {};
  const limits: Amounts = {};
  for (const item of limitRange.spec?.limits ?? []) {
    if (item.type !== "Container") continue;
    Object.assign(requests, item.defaultRequest);
    Object.assign(limits, item.default);
  }
  const notes = [
    ...(pod.spec?.containers ?? []).flatMap((container) => setContainerDefaults(container, requests, limits, "container")),
    ...(pod.spec?.initContainers ?? []).flatMap((container) =>
      setContainerDefaults(container, requests, limits, "init container"),
    ),
  ];
  if (notes.length === 0) return;
  pod.metadata ??= {};
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join("; ")}` };
}

function setContainerDefaults(container: Draft<Container>, requests: Amounts, limits: Amounts, what: string): string[] {
  const resources = container.resources ?? {};
  const missingLimits = Object.keys(limits).filter((name) => ownValue(resources.limits, name) === undefined);
  const missingRequests = Object.keys(requests).filter((name) => ownValue(resources.requests, name) === undefined);
  const notes: string[] = [];
  if (missingRequests.length > 0) {
    resources.requests = { ...resources.requests, ...pick(requests, missingRequests) };
    notes.push(`${missingRequests.sort().join(", ")} request for ${what} ${container.name}`);
  }
  if (missingLimits.length > 0) {
    resources.limits = { ...resources.limits, ...pick(limits, missingLimits) };
    notes.push(`${missingLimits.sort().join(", ")} limit for ${what} ${container.name}`);
  }
  if (notes.length > 0) container.resources = resources;
  return notes;
}

function pick(from: Amounts, names: readonly string[]): Amounts {
  return Object.fromEntries(names.map((name) => [name, from[name] ?? "0"]));
}
