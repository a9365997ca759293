import type { Node } from "#api/generated/core/v1.ts";

/** How long, in seconds, kubelets may keep Secrets and ConfigMaps. */
export const TTL_ANNOTATION = "node.alpha.kubernetes.io/ttl";

/** Seconds by cluster size: the larger, the less often nodes ask. With hysteresis, as upstream. */
const BOUNDARIES: readonly { readonly sizeMin: number; readonly sizeMax: number; readonly ttlSeconds: number }[] = [
  { sizeMin: 0, sizeMax: 100, ttlSeconds: 0 },
  { sizeMin: 90, sizeMax: 500, ttlSeconds: 15 },
  { sizeMin: 450, sizeMax: 1000, ttlSeconds: 30 },
  { sizeMin: 900, sizeMax: 2000, ttlSeconds: 60 },
  { sizeMin: 1800, sizeMax: Number.POSITIVE_INFINITY, ttlSeconds: 300 },
];

/** The step for a number of nodes, given the step before. */
export function nextStep(step: number, nodes: number): number {
  let next = step;
  while (nodes > (BOUNDARIES[next]?.sizeMax ?? Number.POSITIVE_INFINITY)) next++;
  while (next > 0 && nodes < (BOUNDARIES[next]?.sizeMin ?? 0)) next--;
  return next;
}

/** What the decision depends on. */
export interface Observed {
  readonly node: Node;
  readonly step: number;
}

export interface Action {
  readonly type: "annotate";
  readonly name: string;
  readonly value: string;
}

/** Every node carries the time to live of its step. */
export function reconcile({ node, step }: Observed): readonly Action[] {
  const value = String(BOUNDARIES[step]?.ttlSeconds ?? 0);
  if (node.metadata.annotations?.[TTL_ANNOTATION] === value) return [];
  return [{ type: "annotate", name: node.metadata.name ?? "", value }];
}
