import { ownValue } from "#base/own-value.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { NodeList } from "../../framework/node-list.ts";
import type { TallyStore } from "../../framework/node-tally.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { type Status, SUCCESS, unresolvable, unschedulable } from "../../framework/status.ts";
import type { SpreadConstraint } from "./constraints.ts";
import { DomainTally, idOfTally } from "./domain-tally.ts";

const NO_TOPOLOGY = unresolvable("node(s) didn't match pod topology spread constraints (missing required label)");
const TOO_SKEWED = unschedulable("node(s) didn't match pod topology spread constraints");

/** A constraint, and the pods that matter for it. */
interface Spread {
  readonly constraint: SpreadConstraint;
  readonly domains: DomainTally;
  /** 1 if the pod itself will count. */
  readonly itself: 0 | 1;
}

/**
 * How the pods that matter are spread. When a node has changed since they were counted, as preemption tries it out, the
 * difference is worked out for that node.
 */
export class HardConstraints {
  readonly #spreads: readonly Spread[];

  constructor(
    pod: PodInfo,
    constraints: readonly SpreadConstraint[],
    { nodes, tallies }: { nodes: NodeList; tallies: TallyStore<DomainTally> },
  ) {
    this.#spreads = constraints.map((constraint) => {
      const id = idOfTally(constraint, constraints, pod);
      const domains = tallies.get(id, () => new DomainTally(constraint, constraints, pod)).refresh(nodes);
      return { constraint, domains, itself: constraint.matcher.selector.matches(pod.pod.metadata.labels) ? 1 : 0 };
    });
  }

  verdictOn(info: NodeInfo): Status {
    for (const spread of this.#spreads) {
      const { constraint, domains, itself } = spread;
      const value = ownValue(info.node?.metadata.labels, constraint.topologyKey);
      if (value === undefined) return NO_TOPOLOGY;
      const change = domains.changeOn(info);
      const here = (domains.podsIn(value) ?? 0) + change;
      if (here + itself - fewestOf(spread, value, change) > constraint.maxSkew) return TOO_SKEWED;
    }
    return SUCCESS;
  }
}

/** The fewest pods in any topology, when that of `value` has changed; 0 as long as there are too few topologies. */
function fewestOf({ constraint, domains }: Spread, value: string, change: number): number {
  if (domains.size < constraint.minDomains) return 0;
  const own = domains.podsIn(value);
  // No topology counts at all: upstream then compares with the greatest number there is.
  return Math.min(domains.fewestBeside(value), own === undefined ? Number.POSITIVE_INFINITY : own + change);
}
