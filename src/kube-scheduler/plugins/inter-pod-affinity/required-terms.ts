import type { Node } from "#api/generated/core/v1.ts";
import { ownValue } from "#base/own-value.ts";
import { type AffinityTerm, type NamespaceLabels, termMatches } from "../../framework/affinity-terms.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { type Status, SUCCESS, unresolvable, unschedulable } from "../../framework/status.ts";
import { TopologyCounts } from "./topology-counts.ts";

const AFFINITY_MISMATCH = unresolvable("node(s) didn't match pod affinity rules");
const ANTI_AFFINITY_MISMATCH = unschedulable("node(s) didn't match pod anti-affinity rules");
const EXISTING_ANTI_AFFINITY = unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");

/** What the pods of one node, or of all, mean for a pod. */
interface Counts {
  /** Pods that the pod wants to be near. */
  readonly affinity: TopologyCounts;
  /** Pods that the pod wants to be away from. */
  readonly antiAffinity: TopologyCounts;
  /** Pods that want the pod to be away. */
  readonly existing: TopologyCounts;
}

interface OfNode {
  readonly version: number;
  readonly counts: Counts;
}

const EMPTY: Counts = { affinity: new TopologyCounts(), antiAffinity: new TopologyCounts(), existing: new TopologyCounts() };

/**
 * Required affinity and anti-affinity of one pod against all pods there are, counted once per cycle. When a node has
 * changed since, as preemption tries it out, what it had is taken off and counted anew.
 */
export class RequiredTerms {
  readonly #pod: PodInfo;
  readonly #namespaceLabels: NamespaceLabels;
  readonly #total: Counts = {
    affinity: new TopologyCounts(),
    antiAffinity: new TopologyCounts(),
    existing: new TopologyCounts(),
  };
  readonly #ofNodes = new Map<string, OfNode>();

  constructor(pod: PodInfo, nodes: readonly NodeInfo[], namespaceLabels: NamespaceLabels) {
    this.#pod = pod;
    this.#namespaceLabels = namespaceLabels;
    for (const node of nodes) {
      const counts = this.#count(node);
      this.#ofNodes.set(node.name, { version: node.version, counts });
      if (counts === EMPTY) continue;
      for (const part of ["affinity", "antiAffinity", "existing"] as const) this.#total[part].addAll(counts[part]);
    }
  }

  /** No node can be objected to. */
  get trivial(): boolean {
    const { requiredAffinity, requiredAntiAffinity } = this.#pod.affinity;
    return requiredAffinity.length === 0 && requiredAntiAffinity.length === 0 && !this.#total.existing.used;
  }

  verdictOn(info: NodeInfo): Status {
    const { node } = info;
    if (node === undefined) return AFFINITY_MISMATCH;
    const before = this.#ofNodes.get(info.name);
    const unchanged = before?.version === info.version;
    const old = unchanged ? EMPTY : (before?.counts ?? EMPTY);
    const now = unchanged ? EMPTY : this.#count(info);
    const at = (part: keyof Counts, key: string, value: string): number =>
      this.#total[part].get(key, value) - old[part].get(key, value) + now[part].get(key, value);
    const anyNear = this.#total.affinity.total - old.affinity.total + now.affinity.total > 0;
    if (!this.#nearEnough(node, (key, value) => at("affinity", key, value), anyNear)) return AFFINITY_MISMATCH;
    const labels = node.metadata.labels ?? {};
    for (const { topologyKey } of this.#pod.affinity.requiredAntiAffinity) {
      const value = ownValue(labels, topologyKey);
      if (value !== undefined && at("antiAffinity", topologyKey, value) > 0) return ANTI_AFFINITY_MISMATCH;
    }
    for (const key of new Set([...this.#total.existing.keys(), ...now.existing.keys()])) {
      const value = ownValue(labels, key);
      if (value !== undefined && at("existing", key, value) > 0) return EXISTING_ANTI_AFFINITY;
    }
    return SUCCESS;
  }

  /** The first of pods that want to be together may go anywhere. */
  #nearEnough(node: Node, near: (key: string, value: string) => number, anyNear: boolean): boolean {
    const terms = this.#pod.affinity.requiredAffinity;
    let all = true;
    for (const { topologyKey } of terms) {
      const value = ownValue(node.metadata.labels, topologyKey);
      if (value === undefined) return false;
      if (near(topologyKey, value) <= 0) all = false;
    }
    return all || (!anyNear && this.#matchesAll(terms, this.#pod));
  }

  #matchesAll(terms: readonly AffinityTerm[], { pod }: PodInfo): boolean {
    return terms.length > 0 && terms.every((term) => termMatches(term, pod, this.#namespaceLabels));
  }

  #count(info: NodeInfo): Counts {
    const { requiredAffinity, requiredAntiAffinity } = this.#pod.affinity;
    const { node } = info;
    const ownTerms = requiredAffinity.length + requiredAntiAffinity.length > 0;
    if (node === undefined || (!ownTerms && info.podsWithRequiredAntiAffinity.size === 0)) return EMPTY;
    const counts: Counts = {
      affinity: new TopologyCounts(),
      antiAffinity: new TopologyCounts(),
      existing: new TopologyCounts(),
    };
    for (const other of info.podsWithRequiredAntiAffinity.values()) {
      for (const term of other.affinity.requiredAntiAffinity) {
        if (termMatches(term, this.#pod.pod, this.#namespaceLabels)) counts.existing.add(term.topologyKey, node, 1);
      }
    }
    if (!ownTerms) return counts;
    for (const other of info.pods.values()) {
      if (this.#matchesAll(requiredAffinity, other)) {
        for (const { topologyKey } of requiredAffinity) counts.affinity.add(topologyKey, node, 1);
      }
      for (const term of requiredAntiAffinity) {
        if (termMatches(term, other.pod, this.#namespaceLabels)) counts.antiAffinity.add(term.topologyKey, node, 1);
      }
    }
    return counts;
  }
}
