import type { Node } from "#api/generated/core/v1.ts";
import { ownValue } from "#base/own-value.ts";
import { type AffinityTerm, type NamespaceLabels, termMatches } from "../../framework/affinity-terms.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { NodeList } from "../../framework/node-list.ts";
import type { TallyStore } from "../../framework/node-tally.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { type Status, SUCCESS, unresolvable, unschedulable } from "../../framework/status.ts";
import type { SpeakingNodes } from "./speaking-nodes.ts";
import { type CountsAt, type CountTerms, idAsTarget, idOfTerms, TermTally } from "./term-tally.ts";

const AFFINITY_MISMATCH = unresolvable("node(s) didn't match pod affinity rules");
const ANTI_AFFINITY_MISMATCH = unschedulable("node(s) didn't match pod anti-affinity rules");
const EXISTING_ANTI_AFFINITY = unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");

/** What is known of the cluster when terms are looked at. */
export interface TermsAround {
  readonly nodes: NodeList;
  readonly speaking: SpeakingNodes;
  readonly namespaceLabels: NamespaceLabels;
  /** Counts of pods before. */
  readonly tallies: TallyStore<TermTally>;
}

/**
 * Required affinity and anti-affinity of one pod against all pods there are. When a node has changed since they were counted, as
 * preemption tries it out, what it had is taken off and counted anew.
 */
export class RequiredTerms {
  readonly #pod: PodInfo;
  readonly #namespaceLabels: NamespaceLabels;
  /** Pods that the pod wants to be near; absent when it wants none. */
  readonly #affinity: TermTally | undefined;
  /** Pods that the pod wants to be away from. */
  readonly #antiAffinity: TermTally | undefined;
  /** Pods that want the pod to be away. */
  readonly #existing: TermTally;

  constructor(pod: PodInfo, { nodes, namespaceLabels, tallies }: TermsAround) {
    this.#pod = pod;
    this.#namespaceLabels = namespaceLabels;
    const { requiredAffinity, requiredAntiAffinity } = pod.affinity;
    const tally = (key: string, count: CountTerms): TermTally =>
      tallies.get(key, () => new TermTally(count, namespaceLabels)).refresh(nodes);
    if (requiredAffinity.length > 0) this.#affinity = tally(`near ${idOfTerms(requiredAffinity)}`, countAll(requiredAffinity));
    if (requiredAntiAffinity.length > 0)
      this.#antiAffinity = tally(`away ${idOfTerms(requiredAntiAffinity)}`, countEach(requiredAntiAffinity));
    this.#existing = tally(`existing ${idAsTarget(pod)}`, countExisting(pod));
  }

  /** No node can be objected to. */
  get trivial(): boolean {
    const { requiredAffinity, requiredAntiAffinity } = this.#pod.affinity;
    return requiredAffinity.length === 0 && requiredAntiAffinity.length === 0 && !this.#existing.counts.used;
  }

  verdictOn(info: NodeInfo): Status {
    const { node } = info;
    if (node === undefined) return AFFINITY_MISMATCH;
    const near = this.#affinity?.at(info);
    if (near !== undefined && !this.#nearEnough(node, near)) return AFFINITY_MISMATCH;
    const away = this.#antiAffinity?.at(info);
    if (away !== undefined && this.#pod.affinity.requiredAntiAffinity.some(({ topologyKey }) => isThere(away, node, topologyKey)))
      return ANTI_AFFINITY_MISMATCH;
    const existing = this.#existing.at(info);
    if (existing.used) for (const key of existing.keys()) if (isThere(existing, node, key)) return EXISTING_ANTI_AFFINITY;
    return SUCCESS;
  }

  /** The first of pods that want to be together may go anywhere. */
  #nearEnough(node: Node, near: CountsAt): boolean {
    const terms = this.#pod.affinity.requiredAffinity;
    let all = true;
    for (const { topologyKey } of terms) {
      if (ownValue(node.metadata.labels, topologyKey) === undefined) return false;
      if (!isThere(near, node, topologyKey)) all = false;
    }
    return all || (near.total <= 0 && matchesAll(terms, this.#pod, this.#namespaceLabels));
  }
}

function isThere(counts: CountsAt, { metadata }: Node, topologyKey: string): boolean {
  const value = ownValue(metadata.labels, topologyKey);
  return value !== undefined && counts.get(topologyKey, value) > 0;
}

function matchesAll(terms: readonly AffinityTerm[], { pod }: PodInfo, namespaceLabels: NamespaceLabels): boolean {
  return terms.length > 0 && terms.every((term) => termMatches(term, pod, namespaceLabels));
}

/** Pods that all terms mean. */
function countAll(terms: readonly AffinityTerm[]): CountTerms {
  return (info, namespaceLabels, add) => {
    let count = 0;
    for (const other of info.pods.values()) if (matchesAll(terms, other, namespaceLabels)) count++;
    if (count > 0) for (const { topologyKey } of terms) add(topologyKey, count);
  };
}

/** Pods that each term means. */
function countEach(terms: readonly AffinityTerm[]): CountTerms {
  return (info, namespaceLabels, add) => {
    for (const term of terms) {
      let count = 0;
      for (const other of info.pods.values()) if (termMatches(term, other.pod, namespaceLabels)) count++;
      if (count > 0) add(term.topologyKey, count);
    }
  };
}

/** Pods whose terms mean the pod. */
function countExisting({ pod }: PodInfo): CountTerms {
  return (info, namespaceLabels, add) => {
    for (const other of info.podsWithRequiredAntiAffinity.values()) {
      for (const term of other.affinity.requiredAntiAffinity)
        if (termMatches(term, pod, namespaceLabels)) add(term.topologyKey, 1);
    }
  };
}
