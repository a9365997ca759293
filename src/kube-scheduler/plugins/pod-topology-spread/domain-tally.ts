import { ownValue } from "#base/own-value.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { NodeList } from "../../framework/node-list.ts";
import { NodeTally } from "../../framework/node-tally.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { countMatching, countsNode, hasTopologies, type SpreadConstraint } from "./constraints.ts";

/** Matching pods on a node that counts, and the domain that it is in. */
interface OnNode {
  readonly value: string;
  readonly pods: number;
}

interface Domain {
  pods: number;
  nodes: number;
}

/** The pods that a constraint means, by the domains of its topology: values of a node label. */
export class DomainTally {
  /** What was counted holds until nodes change. */
  readonly reusable = true;
  readonly #domains = new Map<string, Domain>();
  /** How many domains have so many pods. */
  readonly #byPods = new Map<number, number>();
  /** The fewest pods that a domain has, and the fewest of all others; undefined until asked for. */
  #fewest: readonly [number, number] | undefined;
  readonly #nodes: NodeTally<OnNode | undefined>;

  /** `all` are the constraints for which a node needs a topology to count. */
  constructor(constraint: SpreadConstraint, all: readonly SpreadConstraint[], { pod }: PodInfo) {
    this.#nodes = new NodeTally({
      count: (info) => {
        const { node } = info;
        const value = ownValue(node?.metadata.labels, constraint.topologyKey);
        if (node === undefined || value === undefined || !hasTopologies(node, all)) return undefined;
        return countsNode(constraint, pod, node) ? { value, pods: countMatching(info, constraint.matcher) } : undefined;
      },
      add: (part) => part && this.#change(part.value, part.pods, 1),
      subtract: (part) => part && this.#change(part.value, -part.pods, -1),
    });
  }

  refresh(nodes: NodeList): this {
    this.#nodes.refresh(nodes);
    return this;
  }

  /** How many domains there are. */
  get size(): number {
    return this.#domains.size;
  }

  /** Pods in a domain; undefined for one that is none. */
  podsIn(value: string): number | undefined {
    return this.#domains.get(value)?.pods;
  }

  /** By how many pods the node has changed since they were counted. */
  changeOn(info: NodeInfo): number {
    const change = this.#nodes.changeOf(info);
    return change === undefined ? 0 : (change.now?.pods ?? 0) - (change.before?.pods ?? 0);
  }

  /** The fewest pods in any domain but one; infinite when there are no others. */
  fewestBeside(value: string): number {
    this.#fewest ??= twoLeast(this.#byPods);
    const [least, next] = this.#fewest;
    return this.podsIn(value) === least ? next : least;
  }

  #change(value: string, pods: number, nodes: 1 | -1): void {
    const domain = this.#domains.get(value) ?? { pods: 0, nodes: 0 };
    if (domain.nodes > 0) this.#countDomain(domain.pods, -1);
    domain.pods += pods;
    domain.nodes += nodes;
    if (domain.nodes === 0) this.#domains.delete(value);
    else {
      this.#domains.set(value, domain);
      this.#countDomain(domain.pods, 1);
    }
  }

  #countDomain(pods: number, by: 1 | -1): void {
    const count = (this.#byPods.get(pods) ?? 0) + by;
    if (count === 0) this.#byPods.delete(pods);
    else this.#byPods.set(pods, count);
    this.#fewest = undefined;
  }
}

/** Says all that a tally depends on, beside the nodes. */
export function idOfTally(constraint: SpreadConstraint, all: readonly SpreadConstraint[], { pod: { spec } }: PodInfo): string {
  const { topologyKey, matcher, honorsAffinity, honorsTaints } = constraint;
  return JSON.stringify([
    topologyKey,
    matcher.key,
    all.map((one) => one.topologyKey),
    honorsAffinity ? [spec.nodeSelector, spec.affinity?.nodeAffinity] : 0,
    honorsTaints ? (spec.tolerations ?? []) : 0,
  ]);
}

/** The two least of numbers that are there so many times. */
function twoLeast(counts: ReadonlyMap<number, number>): readonly [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let next = Number.POSITIVE_INFINITY;
  for (const [number, times] of counts) {
    if (number < least) {
      next = times > 1 ? number : least;
      least = number;
    } else if (number < next) next = number;
  }
  return [least, next];
}
