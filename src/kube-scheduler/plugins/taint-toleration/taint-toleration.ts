import type { Pod, Taint, Toleration } from "#api/generated/core/v1.ts";
import { findUntoleratedTaint, toleratesTaint } from "#component-helpers/node/taints.ts";
import { defaultNormalizeScores } from "../../framework/normalize-score.ts";
import type { FilterPlugin, Plugin, PreScorePlugin, ScorePlugin } from "../../framework/plugin.ts";
import { SUCCESS, unresolvable } from "../../framework/status.ts";

const NAME = "TaintToleration";
const REFUSING_EFFECTS = ["NoSchedule", "NoExecute"];
const UNTOLERATED = unresolvable("node(s) had untolerated taint(s)");

function tolerated(pod: Pod, taints: readonly Taint[]): boolean {
  if (taints.length === 0) return true;
  return findUntoleratedTaint(taints, pod.spec.tolerations ?? [], REFUSING_EFFECTS) === undefined;
}

/** Taints keep pods away that do not tolerate them, strictly or by preference. */
export function taintToleration(): Plugin & FilterPlugin & PreScorePlugin & ScorePlugin {
  return {
    name: NAME,
    weight: 3,
    eventsToRegister: [
      {
        resource: "Node",
        actions: ["add", "updateTaint"],
        queueingHint({ pod }, event) {
          if (event.resource !== "Node" || !tolerated(pod, event.node.spec?.taints ?? [])) return "Skip";
          return event.old !== undefined && tolerated(pod, event.old.spec?.taints ?? []) ? "Skip" : "Queue";
        },
      },
      { resource: "UnscheduledPod", actions: ["updateToleration"] },
    ],

    filter: (_, { pod }, { taints }) => (taints !== undefined && tolerated(pod, taints) ? SUCCESS : UNTOLERATED),

    preScore(state, { pod }) {
      const preferring = (pod.spec.tolerations ?? []).filter(({ effect }) => !effect || effect === "PreferNoSchedule");
      state.write(NAME, preferring);
      return SUCCESS;
    },

    score(state, _, { taints }) {
      if (taints === undefined || taints.length === 0) return 0;
      const tolerations = state.read<readonly Toleration[]>(NAME) ?? [];
      let intolerable = 0;
      for (const taint of taints) {
        if (taint.effect !== "PreferNoSchedule") continue;
        if (!tolerations.some((toleration) => toleratesTaint(toleration, taint))) intolerable += 1;
      }
      return intolerable;
    },

    normalizeScores: (scores) => defaultNormalizeScores(scores, true),
  };
}
