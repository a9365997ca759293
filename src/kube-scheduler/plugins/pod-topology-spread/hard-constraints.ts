import { ownValue } from "#base/own-value.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { type Status, SUCCESS, unresolvable, unschedulable } from "../../framework/status.ts";
import { countMatching, countsNode, hasTopologies, type SpreadConstraint } from "./constraints.ts";

const NO_TOPOLOGY = unresolvable("node(s) didn't match pod topology spread constraints (missing required label)");
const TOO_SKEWED = unschedulable("node(s) didn't match pod topology spread constraints");

/** The topologies of one constraint. */
interface Spread {
  readonly constraint: SpreadConstraint;
  /** Matching pods by topology. */
  readonly counts: Map<string, number>;
  /** The two topologies with the fewest pods: enough to know the fewest when one topology changes. */
  fewest: readonly { readonly value: string; readonly count: number }[];
}

/**
 * How the pods that matter are spread, counted once per cycle. When a node has changed since, as preemption tries it
 * out, the difference is worked out for that node.
 */
export class HardConstraints {
  readonly #pod: PodInfo;
  readonly #spreads: readonly Spread[];
  readonly #ofNodes = new Map<string, { readonly version: number; readonly counts: readonly (number | undefined)[] }>();

  constructor(pod: PodInfo, constraints: readonly SpreadConstraint[], cluster: ClusterLister) {
    this.#pod = pod;
    this.#spreads = constraints.map((constraint) => ({ constraint, counts: new Map(), fewest: [] }));
    for (const info of cluster.nodes()) {
      const counts = this.#count(info);
      this.#ofNodes.set(info.name, { version: info.version, counts });
      this.#spreads.forEach((spread, i) => {
        const count = counts[i];
        const value = ownValue(info.node?.metadata.labels, spread.constraint.topologyKey);
        if (count !== undefined && value !== undefined) spread.counts.set(value, (spread.counts.get(value) ?? 0) + count);
      });
    }
    for (const spread of this.#spreads) {
      const all = [...spread.counts].map(([value, count]) => ({ value, count }));
      spread.fewest = all.sort((a, b) => a.count - b.count).slice(0, 2);
    }
  }

  verdictOn(info: NodeInfo): Status {
    const before = this.#ofNodes.get(info.name);
    const now = before?.version === info.version ? undefined : this.#count(info);
    for (let i = 0; i < this.#spreads.length; i++) {
      const spread = this.#spreads[i] as Spread;
      const { constraint } = spread;
      const value = ownValue(info.node?.metadata.labels, constraint.topologyKey);
      if (value === undefined) return NO_TOPOLOGY;
      const change = now === undefined ? 0 : (now[i] ?? 0) - (before?.counts[i] ?? 0);
      const here = (spread.counts.get(value) ?? 0) + change;
      const itself = constraint.matcher.selector.matches(this.#pod.pod.metadata.labels) ? 1 : 0;
      if (here + itself - fewestOf(spread, value, change) > constraint.maxSkew) return TOO_SKEWED;
    }
    return SUCCESS;
  }

  /** Matching pods on the node for each constraint; undefined where the node does not count. */
  #count(info: NodeInfo): readonly (number | undefined)[] {
    const { node } = info;
    const { pod } = this.#pod;
    const constraints = this.#spreads.map(({ constraint }) => constraint);
    if (node === undefined || !hasTopologies(node, constraints)) return [];
    return constraints.map((constraint) =>
      countsNode(constraint, pod, node) ? countMatching(info, constraint.matcher) : undefined,
    );
  }
}

/** The fewest pods in any topology, when that of `value` has changed; 0 as long as there are too few topologies. */
function fewestOf({ constraint, counts, fewest }: Spread, value: string, change: number): number {
  if (counts.size < constraint.minDomains) return 0;
  const others = fewest.find((topology) => topology.value !== value)?.count ?? Number.POSITIVE_INFINITY;
  const own = counts.get(value);
  // No topology counts at all: upstream then compares with the greatest number there is.
  return Math.min(others, own === undefined ? Number.POSITIVE_INFINITY : own + change);
}
