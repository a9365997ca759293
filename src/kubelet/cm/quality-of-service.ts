import type { Container, Pod } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityCompare, quantitySign } from "#apimachinery/resource/quantity.ts";
import { ownValue } from "#base/own-value.ts";

/** How much a pod may rely on what it asked for. */
export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

type List = Readonly<Record<string, string | number>> | undefined;

/** The class of a pod: as the API says, else worked out as the API does (upstream's `GetPodQOS`). */
export function qosClassOf(pod: Pod): QosClass {
  const told = pod.status?.qosClass;
  if (told === "Guaranteed" || told === "Burstable" || told === "BestEffort") return told;
  const { spec } = pod;
  const podLevel = spec.resources;
  const ofContainers = [...spec.containers, ...(spec.initContainers ?? [])].map(({ resources }: Container) => resources ?? {});
  const all = podLevel?.requests === undefined && podLevel?.limits === undefined ? ofContainers : [podLevel];
  const names = ["cpu", "memory"] as const;
  const asks = all.some(({ requests, limits }) => names.some((name) => isSet(requests, name) || isSet(limits, name)));
  if (!asks) return "BestEffort";
  return all.every(({ requests, limits }) => names.every((name) => isSame(requests, limits, name))) ? "Guaranteed" : "Burstable";
}

function isSet(list: List, name: string): boolean {
  return quantitySign(parseQuantity(ownValue(list ?? {}, name) ?? 0)) > 0;
}

/** A request that is not there is as its limit. */
function isSame(requests: List, limits: List, name: string): boolean {
  if (!isSet(limits, name)) return false;
  const limit = ownValue(limits ?? {}, name) ?? 0;
  const request = ownValue(requests ?? {}, name) ?? limit;
  return quantityCompare(parseQuantity(request), parseQuantity(limit)) === 0;
}
