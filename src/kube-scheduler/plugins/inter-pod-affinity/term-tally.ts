import { nothing } from "#apimachinery/labels/selector.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { ownValue } from "#base/own-value.ts";
import type { AffinityTerm, NamespaceLabels } from "../../framework/affinity-terms.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { NodeList } from "../../framework/node-list.ts";
import { NodeTally } from "../../framework/node-tally.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { type TopologyAmount, TopologyCounts } from "./topology-counts.ts";

/** Tells by `add` what the pods of a node come to, for each topology key. */
export type CountTerms = (
  info: NodeInfo,
  namespaceLabels: NamespaceLabels,
  add: (topologyKey: string, amount: number) => void,
) => void;

const NONE: readonly TopologyAmount[] = [];

/** What terms of pods come to on all nodes, by topology. */
export class TermTally {
  readonly counts: TopologyCounts = new TopologyCounts();
  readonly #nodes: NodeTally<readonly TopologyAmount[]>;
  readonly #namespaceLabels: NamespaceLabels;
  /** The labels of namespaces by which pods were counted. */
  readonly #labels = new Map<string, ReturnType<NamespaceLabels>>();

  constructor(count: CountTerms, namespaceLabels: NamespaceLabels) {
    this.#namespaceLabels = namespaceLabels;
    const labelsOf: NamespaceLabels = (namespace) => {
      const labels = namespaceLabels(namespace);
      this.#labels.set(namespace, labels);
      return labels;
    };
    const { counts } = this;
    this.#nodes = new NodeTally({
      count: (info) => amountsOf(info, (add) => count(info, labelsOf, add)),
      add: (part) => counts.add(part),
      subtract: (part) => counts.subtract(part),
    });
  }

  /** Namespaces have the labels by which pods were counted: nodes do not change with them, so that what was counted would be wrong. */
  get reusable(): boolean {
    for (const [namespace, labels] of this.#labels) {
      const now = this.#namespaceLabels(namespace);
      if (now !== labels && !semanticEqual(now, labels)) return false;
    }
    return true;
  }

  refresh(nodes: NodeList): this {
    this.#nodes.refresh(nodes);
    return this;
  }

  /** How to read the counts for a node that may have changed since they were taken. */
  at(info: NodeInfo): CountsAt {
    const { counts } = this;
    const change = this.#nodes.changeOf(info);
    if (change === undefined) return counts;
    const { before = NONE, now } = change;
    return {
      get: (key, value) => counts.get(key, value) - amountIn(before, key, value) + amountIn(now, key, value),
      total: counts.total - totalOf(before) + totalOf(now),
      used: counts.used || now.length > 0,
      keys: () => new Set([...counts.keys(), ...now.map(({ key }) => key)]),
    };
  }
}

/** Counts by topology, to be read. */
export type CountsAt = Pick<TopologyCounts, "get" | "total" | "used" | "keys">;

/** Says all that terms ask of pods. */
export function idOfTerms(terms: readonly AffinityTerm[]): string {
  return JSON.stringify(
    terms.map(({ topologyKey, weight, namespaces, namespaceSelector, selector }) => [
      topologyKey,
      weight,
      [...namespaces],
      namespaceSelector === nothing ? 0 : namespaceSelector.toString(),
      selector === nothing ? 0 : selector.toString(),
    ]),
  );
}

/** Says all that terms of other pods can see of a pod. */
export function idAsTarget({ pod: { metadata } }: PodInfo): string {
  return JSON.stringify([metadata.namespace, metadata.labels]);
}

function amountsOf(
  info: NodeInfo,
  count: (add: (topologyKey: string, amount: number) => void) => void,
): readonly TopologyAmount[] {
  const labels = info.node?.metadata.labels;
  if (labels === undefined) return NONE;
  let byKey: Map<string, number> | undefined;
  count((topologyKey, amount) => {
    byKey ??= new Map();
    byKey.set(topologyKey, (byKey.get(topologyKey) ?? 0) + amount);
  });
  if (byKey === undefined) return NONE;
  const amounts: TopologyAmount[] = [];
  for (const [key, amount] of byKey) {
    // A node without the label is in no such topology.
    const value = ownValue(labels, key);
    if (value !== undefined) amounts.push({ key, value, amount });
  }
  return amounts;
}

function amountIn(part: readonly TopologyAmount[], key: string, value: string): number {
  return part.find((one) => one.key === key && one.value === value)?.amount ?? 0;
}

function totalOf(part: readonly TopologyAmount[]): number {
  return part.reduce((sum, { amount }) => sum + amount, 0);
}
