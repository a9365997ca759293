import type { NodeSelectorTerm, PreferredSchedulingTerm } from "#api/generated/core/v1.ts";
import { matchesNodeSelectorAndAffinity, matchesNodeSelectorTerm } from "#component-helpers/node/node-affinity.ts";
import { defaultNormalizeScores } from "../../framework/normalize-score.ts";
import type { FilterPlugin, Plugin, PreFilterPlugin, PreScorePlugin, ScorePlugin } from "../../framework/plugin.ts";
import { SKIP, SUCCESS, unresolvable } from "../../framework/status.ts";

const NAME = "NodeAffinity";
const MISMATCH = unresolvable("node(s) didn't match Pod's node affinity/selector");
const CONFLICT = unresolvable("pod affinity terms conflict");

/** `nodeSelector`, required and preferred node affinity. */
export function nodeAffinity(): Plugin & PreFilterPlugin & FilterPlugin & PreScorePlugin & ScorePlugin {
  return {
    name: NAME,
    weight: 2,
    eventsToRegister: [
      {
        resource: "Node",
        actions: ["add", "updateLabel"],
        queueingHint({ pod }, event) {
          if (event.resource !== "Node" || !matchesNodeSelectorAndAffinity(pod, event.node)) return "Skip";
          return event.old !== undefined && matchesNodeSelectorAndAffinity(pod, event.old) ? "Skip" : "Queue";
        },
      },
    ],

    preFilter(_, { pod }) {
      const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
      if (terms === undefined) return { status: pod.spec.nodeSelector === undefined ? SKIP : SUCCESS };
      const nodeNames = namedNodes(terms);
      if (nodeNames === undefined) return { status: SUCCESS };
      return nodeNames.size === 0 ? { status: CONFLICT } : { status: SUCCESS, nodeNames };
    },

    filter: (_, { pod }, { node }) => (node !== undefined && matchesNodeSelectorAndAffinity(pod, node) ? SUCCESS : MISMATCH),

    preScore(state, { pod }) {
      const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
      if (preferred.length === 0) return SKIP;
      state.write(NAME, preferred);
      return SUCCESS;
    },

    score(state, _, { node }) {
      let sum = 0;
      for (const { weight, preference } of state.read<readonly PreferredSchedulingTerm[]>(NAME) ?? []) {
        if (weight !== 0 && node !== undefined && matchesNodeSelectorTerm(preference, node)) sum += weight;
      }
      return sum;
    },

    normalizeScores: (scores) => defaultNormalizeScores(scores, false),
  };
}

/** The nodes that the terms name; undefined when one term does not name any, since one term is enough. */
function namedNodes(terms: readonly NodeSelectorTerm[]): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const term of terms) {
    let ofTerm: Set<string> | undefined;
    for (const { key, operator, values = [] } of term.matchFields ?? []) {
      if (key !== "metadata.name" || operator !== "In") continue;
      const before: Set<string> | undefined = ofTerm;
      ofTerm = new Set(before === undefined ? values : values.filter((value) => before.has(value)));
    }
    if (ofTerm === undefined) return undefined;
    for (const name of ofTerm) names.add(name);
  }
  return terms.length === 0 ? undefined : names;
}
