import type { Pod } from "#api/generated/core/v1.ts";
import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { type LabelSelector, labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type Change, type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { addLabelIndex, selectedBy } from "../../framework/label-index.ts";
import { POD_DISRUPTION_BUDGETS, PODS } from "../../framework/resources.ts";
import { addSelectorIndex, selecting } from "../../framework/selector-index.ts";
import { needsScale } from "./expected-pods.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";
import { ScaleFinder } from "./scale.ts";

/** Budgets for all pods of their namespace. */
const OF_ALL_INDEX = "budgetsOfAllPods";
const selectorOf = ({ spec }: PodDisruptionBudget): LabelSelector => labelSelectorFromObject(spec.selector);

/** Keeps in each PodDisruptionBudget how many of its pods may be evicted. */
export const disruptionController: ControllerDefinition = {
  name: "disruption-controller",
  eventSource: "controllermanager",
  create({ client, clock, informers, recorder }) {
    const budgets = informers.informer<PodDisruptionBudget>(POD_DISRUPTION_BUDGETS);
    const pods = informers.informer<Pod>(PODS);
    addLabelIndex(pods);
    const scales = new ScaleFinder(informers);
    addSelectorIndex(budgets, selectorOf);
    budgets.addIndex(OF_ALL_INDEX, (budget) => (selectorOf(budget).empty ? [budget.metadata.namespace ?? ""] : []));

    function budgetsOf({ object, old }: Change<Pod>): Iterable<string> {
      const { namespace = "", labels } = object.metadata;
      const found = [...budgets.byIndex(OF_ALL_INDEX, namespace), ...selecting(budgets, selectorOf, namespace, labels)];
      if (old !== undefined && old.metadata.labels !== labels) {
        found.push(...selecting(budgets, selectorOf, namespace, old.metadata.labels));
      }
      return new Set(found.map(keyOf));
    }

    return controller<Observed, Action>({
      sources: [source(budgets, ({ type, object }) => (type === "delete" ? [] : [keyOf(object)])), source(pods, budgetsOf)],
      alsoAwait: scales.informers,
      observe(key) {
        const { namespace, name } = splitKey(key);
        const budget = budgets.lister.get(namespace, name);
        if (budget === undefined) return undefined;
        const selector = selectorOf(budget);
        const selected = selectedBy(pods, namespace, selector);
        const nowMs = clock.now();
        if (!needsScale(budget.spec)) return { budget, pods: selected, scale: 0, unmanaged: false, nowMs };
        return { budget, pods: selected, ...scales.scaleOf(selected), nowMs };
      },
      reconcile,
      async execute(actions, { budget }) {
        const { namespace = "", name = "" } = budget.metadata;
        for (const action of actions) {
          if (action.type === "event") recorder.event(action.on, action.level, action.reason, action.message);
          else {
            try {
              const changed = { ...budget, status: action.status };
              await client.update(POD_DISRUPTION_BUDGETS, namespace, name, changed, { subresource: "status" });
            } catch (error) {
              if (!isNotFound(error)) throw error;
            }
          }
        }
      },
    });
  },
};
