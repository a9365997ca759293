import type { HorizontalPodAutoscaler } from "#api/generated/autoscaling/v2.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { parseLabelSelector } from "#apimachinery/labels/parse.ts";
import type { LabelSelector } from "#apimachinery/labels/selector.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { Discovery } from "../../framework/discovery.ts";
import { addLabelIndex, selectedBy } from "../../framework/label-index.ts";
import { HORIZONTAL_POD_AUTOSCALERS, PODS } from "../../framework/resources.ts";
import { type History, NO_HISTORY } from "./history.ts";
import { MetricsClient } from "./metrics-client.ts";
import { type Action, afterRescale, decider, type Observed, reconcile } from "./reconcile.ts";
import { getScale, type ScaleTarget } from "./scale-target.ts";
import { TargetSelectors } from "./target-selectors.ts";

/** Upstream's `--horizontal-pod-autoscaler-sync-period`. */
const SYNC_MS = 15_000;

/** Gives targets as many replicas as their metrics call for. */
export const horizontalPodAutoscalerController: ControllerDefinition = {
  name: "horizontal-pod-autoscaler-controller",
  eventSource: "horizontal-pod-autoscaler",
  create({ client, clock, informers, recorder }) {
    const autoscalers = informers.informer<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALERS);
    const pods = informers.informer<Pod>(PODS);
    addLabelIndex(pods);
    const discovery = new Discovery(client, clock);
    const metrics = new MetricsClient(client, discovery);
    const histories = new Map<string, History>();
    const selectors = new TargetSelectors();

    async function measure(autoscaler: HorizontalPodAutoscaler, { scale }: ScaleTarget): Promise<Observed["measured"]> {
      const { namespace = "" } = autoscaler.metadata;
      const text = scale.status?.selector ?? "";
      if (text === "")
        return selectorProblem("SelectorRequired", "selector is required", "the HPA target's scale is missing a selector");
      let selector: LabelSelector;
      try {
        selector = parseLabelSelector(text);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return selectorProblem(
          "InvalidSelector",
          `couldn't convert selector into a corresponding internal selector object: ${why}`,
        );
      }
      selectors.set(keyOf(autoscaler), selector);
      const selected = selectedBy(pods, namespace, selector);
      const rivals = selectors.selectingAny(namespace, selected);
      if (rivals.length > 1) {
        const list = rivals.map((rival) => `{${splitKey(rival).name} ${namespace}}`).join(" ");
        const message = `pods by selector ${text} are controlled by multiple HPAs: [${list}]`;
        return { eventReason: "AmbiguousSelector", eventMessage: message, reason: "AmbiguousSelector", message };
      }
      const readings = await Promise.all(
        (autoscaler.spec.metrics ?? []).map((spec) => metrics.read(spec, namespace, text).catch((error: Error) => error)),
      );
      return { pods: selected, readings };
    }

    async function write(action: Action, observed: Observed): Promise<void> {
      const { autoscaler, key, target } = observed;
      const { namespace = "", name = "" } = autoscaler.metadata;
      if (action.type === "event") recorder.event(autoscaler, action.level, action.reason, action.message);
      else if (action.type === "remember") histories.set(key, action.history);
      else if (action.type === "updateStatus") {
        const changed = { ...autoscaler, status: action.status };
        try {
          await client.update(HORIZONTAL_POD_AUTOSCALERS, namespace, name, changed, { subresource: "status" });
        } catch (error) {
          if (!isNotFound(error)) recorder.event(autoscaler, "Warning", "FailedUpdateStatus", messageOf(error));
        }
      } else if (!(target instanceof Error)) {
        const { id, scale } = target;
        const wanted = { ...scale, spec: { ...scale.spec, replicas: action.replicas } };
        const failure = await client
          .update(id, namespace, autoscaler.spec.scaleTargetRef.name, wanted, { subresource: "scale" })
          .then(() => undefined)
          .catch((error: unknown) => new Error(messageOf(error)));
        for (const next of afterRescale(observed, action, histories.get(key) ?? NO_HISTORY, failure)) await write(next, observed);
      }
    }

    return controller<Observed, Action>({
      sources: [
        source(autoscalers, ({ type, object }) => {
          const key = keyOf(object);
          if (type !== "delete") return [{ key, afterMs: SYNC_MS }];
          histories.delete(key);
          selectors.delete(key);
          return [];
        }),
      ],
      alsoAwait: [pods as never],
      async observe(key) {
        const { namespace, name } = splitKey(key);
        const autoscaler = autoscalers.lister.get(namespace, name);
        if (autoscaler === undefined) return undefined;
        const target = await getScale({ client, discovery }, namespace, autoscaler.spec.scaleTargetRef).catch(
          (error: Error) => error,
        );
        const byMetrics = !(target instanceof Error) && decider(autoscaler, target.scale.spec.replicas ?? 0) === "metrics";
        const measured = byMetrics ? await measure(autoscaler, target) : undefined;
        const history = histories.get(key) ?? NO_HISTORY;
        return { key, autoscaler, target, measured, history, nowMs: clock.now(), syncMs: SYNC_MS };
      },
      reconcile,
      async execute(actions, observed) {
        for (const action of actions) await write(action, observed);
      },
    });
  },
};

function selectorProblem(eventReason: string, eventMessage: string, message = eventMessage): Observed["measured"] {
  return { eventReason, eventMessage, reason: "InvalidSelector", message };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
