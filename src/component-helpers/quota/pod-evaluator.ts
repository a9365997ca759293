import type { Pod } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { newQuantity, type Quantity } from "#apimachinery/resource/quantity.ts";
import { podLimits } from "../pod/pod-limits.ts";
import { podRequests } from "../pod/pod-requests.ts";
import { isPodLevelResource } from "../pod/resource-list.ts";
import type { QuotaEvaluator } from "./evaluator.ts";
import { podInScope } from "./pod-scopes.ts";
import { parseResourceList, type ResourceList } from "./resource-list.ts";

const ONE = newQuantity(1, 0, "DecimalSI");
const COUNT = "count/pods";
const REQUESTS = "requests.";
const LIMITS = "limits.";
const COMPUTE = ["cpu", "memory", "ephemeral-storage"];
const NAMES: ReadonlySet<string> = new Set([
  COUNT,
  "pods",
  ...COMPUTE,
  ...COMPUTE.map((name) => REQUESTS + name),
  ...COMPUTE.map((name) => LIMITS + name),
]);

/** A quota of these makes every container name an amount: a mistake that upstream keeps, and does not repeat. */
const DEMANDED: ReadonlySet<string> = new Set([
  "cpu",
  "memory",
  "requests.cpu",
  "requests.memory",
  "limits.cpu",
  "limits.memory",
]);

/** Pods use what they request and are limited to until they end, and count until they are gone. */
export const podEvaluator: QuotaEvaluator = {
  group: "",
  resource: "pods",
  handles: ({ operation, subresource }) =>
    subresource === "resize" ? operation === "UPDATE" : subresource === "" && operation === "CREATE",
  matchingNames: (names) => names.filter((name) => NAMES.has(name) || isHugePages(name) || isExtended(name)),
  inScope: (requirement, object) => podInScope(requirement, object as Pod),
  usage: (object, nowMs) => podUsage(object as Pod, nowMs),
  endsAtMs: (object) => chargeEndsMs(object as Pod),
  missing: (names, object) => missing(names, object as Pod),
};

/** Whether a pod still uses anything but its place in the store. */
export function isPodCharged(pod: Pod, nowMs: number): boolean {
  if (pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded") return false;
  const endsMs = chargeEndsMs(pod);
  return endsMs === undefined || nowMs <= endsMs;
}

/** A pod on a lost node must not keep others from taking its place. */
function chargeEndsMs({ metadata }: Pod): number | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata ?? {};
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return undefined;
  return (parseTime(deletionTimestamp) ?? 0) + deletionGracePeriodSeconds * 1_000;
}

function podUsage(pod: Pod, nowMs: number): ResourceList {
  if (!isPodCharged(pod, nowMs)) return new Map([[COUNT, ONE]]);
  const options = { useStatusResources: true };
  return new Map([[COUNT, ONE], ...computeUsage(podRequests(pod, options), podLimits(pod, options))]);
}

/** What requests and limits are called in quotas. */
function computeUsage(requests: ResourceList, limits: ResourceList): Map<string, Quantity> {
  const usage = new Map<string, Quantity>([["pods", ONE]]);
  for (const [name, value] of requests) {
    const known = COMPUTE.includes(name) || name.startsWith("hugepages-");
    if (known) usage.set(name, value);
    if (known || isExtendedResource(name)) usage.set(REQUESTS + name, value);
  }
  for (const [name, value] of limits) if (COMPUTE.includes(name)) usage.set(LIMITS + name, value);
  return usage;
}

function missing(names: readonly string[], { spec }: Pod): string | undefined {
  const demanded = names.filter((name) => DEMANDED.has(name)).sort();
  const resources = { ...spec?.resources?.requests, ...spec?.resources?.limits };
  // Amounts for the whole pod need none for its containers (KEP-2837).
  if (demanded.length === 0 || Object.keys(resources).some(isPodLevelResource)) return undefined;
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(({ name = "", resources }) => ({
    name,
    usage: computeUsage(parseResourceList(resources?.requests), parseResourceList(resources?.limits)),
  }));
  const faults = demanded.flatMap((wanted) => {
    const silent = containers.filter(({ usage }) => !usage.has(wanted)).map(({ name }) => name);
    return silent.length === 0 ? [] : [`${wanted} for: ${[...new Set(silent)].sort().join(",")}`];
  });
  return faults.length === 0 ? undefined : `must specify ${faults.join("; ")}`;
}

function isHugePages(name: string): boolean {
  return name.startsWith("hugepages-") || name.startsWith(`${REQUESTS}hugepages-`);
}

/** `requests.example.com/gpu`: the one form in which quotas know what others than Kubernetes name. */
function isExtended(name: string): boolean {
  return name.startsWith(REQUESTS) && !isNative(name);
}

function isNative(name: string): boolean {
  return !name.includes("/") || name.includes("kubernetes.io/");
}

function isExtendedResource(name: string): boolean {
  return !isNative(name) && !name.startsWith(REQUESTS);
}
