import type { Node } from "#api/generated/core/v1.ts";
import { ownValue } from "#base/own-value.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import { NODE_SCORE_MAX } from "../../framework/plugin.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { countMatching, countsNode, hasTopologies, type SpreadConstraint } from "./constraints.ts";

const HOSTNAME = "kubernetes.io/hostname";

/** How well nodes keep the pods apart: fewer matching pods in a node's topologies are better. */
export class SoftConstraints {
  readonly #pod: PodInfo;
  readonly #constraints: readonly SpreadConstraint[];
  readonly #counts: readonly Map<string, number>[];
  readonly #weights: readonly number[];
  readonly #requireAll: boolean;

  /** With `requireAll` nodes that lack a topology are out of the question; `feasible` are those to be rated. */
  constructor(
    pod: PodInfo,
    constraints: readonly SpreadConstraint[],
    options: { feasible: readonly NodeInfo[]; cluster: ClusterLister; requireAll: boolean },
  ) {
    this.#pod = pod;
    this.#constraints = constraints;
    this.#requireAll = options.requireAll;
    const rated = options.feasible.map(({ node }) => node).filter((node) => node !== undefined && !this.#isIgnored(node));
    this.#counts = constraints.map(({ topologyKey }) => topologiesOf(rated as readonly Node[], topologyKey));
    this.#weights = constraints.map(({ topologyKey }) =>
      Math.log(
        (topologyKey === HOSTNAME
          ? rated.length
          : new Set(rated.map((node) => ownValue(node?.metadata.labels, topologyKey))).size) + 2,
      ),
    );
    if (this.#counts.every((counts) => counts.size === 0)) return;
    for (const info of options.cluster.nodes()) this.#countNode(info);
  }

  /** More is worse; undefined for a node that is not rated. */
  cost(info: NodeInfo): number | undefined {
    const { node } = info;
    if (node === undefined || this.#isIgnored(node)) return undefined;
    let cost = 0;
    this.#constraints.forEach(({ topologyKey, matcher, maxSkew }, i) => {
      const value = ownValue(node.metadata.labels, topologyKey);
      if (value === undefined) return;
      const count = topologyKey === HOSTNAME ? countMatching(info, matcher) : (this.#counts[i]?.get(value) ?? 0);
      // Adding the skew makes small differences matter less where more is allowed.
      cost += count * (this.#weights[i] ?? 0) + (maxSkew - 1);
    });
    return Math.round(cost);
  }

  #isIgnored(node: Node): boolean {
    return this.#requireAll && !hasTopologies(node, this.#constraints);
  }

  #countNode(info: NodeInfo): void {
    const { node } = info;
    if (node === undefined || this.#isIgnored(node)) return;
    this.#constraints.forEach((constraint, i) => {
      const value = ownValue(node.metadata.labels, constraint.topologyKey);
      const counts = this.#counts[i];
      const known = value === undefined ? undefined : counts?.get(value);
      if (value === undefined || known === undefined || !countsNode(constraint, this.#pod.pod, node)) return;
      counts?.set(value, known + countMatching(info, constraint.matcher));
    });
  }
}

/** The topologies to count; hosts are counted one by one when they are rated. */
function topologiesOf(nodes: readonly Node[], topologyKey: string): Map<string, number> {
  const counts = new Map<string, number>();
  if (topologyKey === HOSTNAME) return counts;
  for (const { metadata } of nodes) {
    const value = ownValue(metadata.labels, topologyKey);
    if (value !== undefined) counts.set(value, 0);
  }
  return counts;
}

/** What stands for a node that is not rated. */
export const NOT_RATED = -1;

/** Turns costs, in place, into scores: the lowest cost gets the most, nodes that are not rated nothing. */
export function normalizeCosts(scores: number[]): void {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const score of scores) {
    if (score === NOT_RATED) continue;
    if (score < least) least = score;
    if (score > most) most = score;
  }
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? 0;
    if (score === NOT_RATED) scores[i] = 0;
    else scores[i] = most === 0 ? NODE_SCORE_MAX : Math.trunc((NODE_SCORE_MAX * (most + least - score)) / most);
  }
}
