import type { Node } from "#api/generated/core/v1.ts";
import { ownValue } from "#base/own-value.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { NodeList } from "../../framework/node-list.ts";
import type { TallyStore } from "../../framework/node-tally.ts";
import { NODE_SCORE_MAX } from "../../framework/plugin.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { countMatching, hasTopologies, type SpreadConstraint } from "./constraints.ts";
import { DomainTally, idOfTally } from "./domain-tally.ts";

const HOSTNAME = "kubernetes.io/hostname";

/** How well nodes keep the pods apart: fewer matching pods in a node's topologies are better. */
export class SoftConstraints {
  readonly #constraints: readonly SpreadConstraint[];
  /** Absent for hosts, which are counted one by one when they are rated. */
  readonly #domains: readonly (DomainTally | undefined)[];
  readonly #weights: readonly number[];
  readonly #requireAll: boolean;

  /** With `requireAll` nodes that lack a topology are out of the question; `feasible` are those to be rated. */
  constructor(
    pod: PodInfo,
    constraints: readonly SpreadConstraint[],
    options: {
      readonly feasible: readonly NodeInfo[];
      readonly nodes: NodeList;
      readonly tallies: TallyStore<DomainTally>;
      readonly requireAll: boolean;
    },
  ) {
    this.#constraints = constraints;
    this.#requireAll = options.requireAll;
    const rated = options.feasible.map(({ node }) => node).filter((node) => node !== undefined && !this.#isIgnored(node));
    this.#weights = constraints.map(({ topologyKey }) =>
      Math.log(
        (topologyKey === HOSTNAME
          ? rated.length
          : new Set(rated.map((node) => ownValue(node?.metadata.labels, topologyKey))).size) + 2,
      ),
    );
    const needed = options.requireAll ? constraints : [];
    this.#domains = constraints.map((constraint) => {
      const { topologyKey } = constraint;
      // Where no node that is rated has a topology, nobody will ask for it.
      if (topologyKey === HOSTNAME || !rated.some((node) => ownValue(node?.metadata.labels, topologyKey) !== undefined)) {
        return undefined;
      }
      const make = (): DomainTally => new DomainTally(constraint, needed, pod);
      return options.tallies.get(idOfTally(constraint, needed, pod), make).refresh(options.nodes);
    });
  }

  /** More is worse; undefined for a node that is not rated. */
  cost(info: NodeInfo): number | undefined {
    const { node } = info;
    if (node === undefined || this.#isIgnored(node)) return undefined;
    let cost = 0;
    this.#constraints.forEach(({ topologyKey, matcher, maxSkew }, i) => {
      const value = ownValue(node.metadata.labels, topologyKey);
      if (value === undefined) return;
      const count = topologyKey === HOSTNAME ? countMatching(info, matcher) : (this.#domains[i]?.podsIn(value) ?? 0);
      // Adding the skew makes small differences matter less where more is allowed.
      cost += count * (this.#weights[i] ?? 0) + (maxSkew - 1);
    });
    return Math.round(cost);
  }

  #isIgnored(node: Node): boolean {
    return this.#requireAll && !hasTopologies(node, this.#constraints);
  }
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
