import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from "#api/generated/core/v1.ts";
import { type LabelSelector, labelSelectorFromObject, nothing } from "#apimachinery/labels/selector.ts";

/** Labels of a namespace, by its name; undefined when it is not known. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined;

/** A term of pod affinity or anti-affinity, ready to match. */
export interface AffinityTerm {
  readonly topologyKey: string;
  /** 1 for required terms. */
  readonly weight: number;
  readonly namespaces: ReadonlySet<string>;
  readonly namespaceSelector: LabelSelector;
  readonly selector: LabelSelector;
}

/** What a pod says of other pods, worked out once. */
export interface PodAffinityTerms {
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferredAffinity: readonly AffinityTerm[];
  readonly preferredAntiAffinity: readonly AffinityTerm[];
}

const NONE: PodAffinityTerms = {
  requiredAffinity: [],
  requiredAntiAffinity: [],
  preferredAffinity: [],
  preferredAntiAffinity: [],
};

const known = new WeakMap<Pod, PodAffinityTerms>();

/** The terms of a pod's `affinity`. Worked out once: each pod that waits is asked at each event. */
export function podAffinityTerms(pod: Pod): PodAffinityTerms {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  if (podAffinity === undefined && podAntiAffinity === undefined) return NONE;
  let terms = known.get(pod);
  if (terms === undefined) {
    terms = termsOf(pod);
    known.set(pod, terms);
  }
  return terms;
}

function termsOf(pod: Pod): PodAffinityTerms {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const required = (terms: readonly PodAffinityTerm[] = []): AffinityTerm[] => terms.map((term) => parse(pod, term, 1));
  const preferred = (terms: readonly WeightedPodAffinityTerm[] = []): AffinityTerm[] =>
    terms.map(({ podAffinityTerm, weight }) => parse(pod, podAffinityTerm, weight));
  return {
    requiredAffinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAntiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  };
}

/** Whether the term means the pod, wherever that is. */
export function termMatches(term: AffinityTerm, pod: Pod, namespaceLabels: NamespaceLabels): boolean {
  const { namespace = "", labels } = pod.metadata;
  if (!term.namespaces.has(namespace)) {
    // An unknown namespace has no labels.
    if (term.namespaceSelector === nothing || !term.namespaceSelector.matches(namespaceLabels(namespace))) return false;
  }
  return term.selector.matches(labels);
}

/** Without namespaces and without a selector for them a term looks into the pod's own. */
function parse(pod: Pod, term: PodAffinityTerm, weight: number): AffinityTerm {
  const { namespaces = [], namespaceSelector, labelSelector, topologyKey } = term;
  const own = namespaces.length === 0 && namespaceSelector === undefined;
  return {
    topologyKey,
    weight,
    namespaces: new Set(own ? [pod.metadata.namespace ?? ""] : namespaces),
    namespaceSelector: labelSelectorFromObject(namespaceSelector),
    selector: labelSelectorFromObject(labelSelector),
  };
}
