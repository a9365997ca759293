import type { ResourceQuota } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { keyOf, metaOf, splitKey } from "#client/object-meta.ts";
import type { QuotaEvaluator } from "#component-helpers/quota/evaluator.ts";
import { quotaEvaluatorsOf } from "#component-helpers/quota/evaluators.ts";
import { addLists, equalLists, formatResourceList, type ResourceList } from "#component-helpers/quota/resource-list.ts";
import { usageOf } from "#component-helpers/quota/usage.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { RESOURCE_QUOTAS } from "../../framework/resources.ts";
import { CountedObjects } from "./counted-objects.ts";
import { type Action, type Observed, reconcile, type Sinking } from "./reconcile.ts";

/** Between two looks at all quotas, whatever happened (`--resource-quota-sync-period`). */
const RESYNC_MS = 300_000;

/** From a change of what is used until it is counted again. Milliseconds. */
const RECOUNT_MS = 5_000;

/** Tells in each quota's status how much of it is used. The API server charges it when objects come; this sees them go. */
export const resourceQuotaController: ControllerDefinition = {
  name: "resourcequota-controller",
  workers: 5,
  create({ client, clock, informers, signal }) {
    const quotas = informers.informer<ResourceQuota>(RESOURCE_QUOTAS);
    const sinking = new Map<string, Sinking>();
    let enqueue: (key: string) => void = () => {};
    const objects = new CountedObjects({
      client,
      clock,
      informers,
      signal,
      changed(evaluator, old, object) {
        for (const quota of quotas.lister.list(metaOf(old).namespace)) {
          if (uses(quota, evaluator, old, object)) enqueue(keyOf(quota));
        }
      },
    });

    async function usage(quota: ResourceQuota): Promise<Pick<Observed, "usage" | "complete">> {
      let sum: ResourceList = new Map();
      let complete = true;
      for (const evaluator of quotaEvaluatorsOf(Object.keys(quota.spec?.hard ?? {}))) {
        const used = await objects.usage(evaluator, quota);
        if (used === undefined) complete = false;
        else sum = addLists(sum, used);
      }
      return { usage: sum, complete };
    }

    /** Whether a change of an object changes what is used of a quota. */
    function uses(quota: ResourceQuota, evaluator: QuotaEvaluator, old: object, object: object | undefined): boolean {
      if (evaluator.matchingNames(Object.keys(quota.spec?.hard ?? {})).length === 0) return false;
      if (object === undefined) return true;
      const now = clock.now();
      return !equalLists(usageOf(quota, evaluator, [old], now), usageOf(quota, evaluator, [object], now));
    }

    async function resync(): Promise<void> {
      while (!signal.aborted) {
        await clock.sleep(RESYNC_MS, signal).catch(() => {});
        for (const quota of quotas.lister.list()) enqueue(keyOf(quota));
      }
    }

    return controller<Observed, Action>({
      sources: [
        source(quotas, ({ type, old, object }) => {
          if (type === "delete") {
            sinking.delete(keyOf(object));
            objects.forget(object);
            return [];
          }
          if (old === undefined || !semanticEqual(old.spec, object.spec)) return [keyOf(object)];
          // A charge may be for an object that was refused later: its name was taken.
          return semanticEqual(old.status, object.status) ? [] : [{ key: keyOf(object), afterMs: RECOUNT_MS }];
        }),
      ],
      start(add) {
        enqueue = add;
        return resync();
      },
      async observe(key) {
        const { namespace, name } = splitKey(key);
        const first = quotas.lister.get(namespace, name);
        if (first === undefined) return undefined;
        const counted = await usage(first);
        // Others charge it while objects are counted: the newest state is the one to correct.
        const quota = quotas.lister.get(namespace, name);
        if (quota === undefined) objects.forget(first);
        if (quota === undefined || !semanticEqual(quota.spec, first.spec)) return undefined;
        return { quota, ...counted, sinking: sinking.get(key), nowMs: clock.now() };
      },
      reconcile,
      async execute(actions, { quota }) {
        const { namespace = "", name = "" } = quota.metadata;
        for (const action of actions) {
          if (action.type === "remember") {
            if (action.sinking === undefined) sinking.delete(keyOf(quota));
            else sinking.set(keyOf(quota), action.sinking);
            continue;
          }
          const status = { hard: { ...quota.spec?.hard }, used: formatResourceList(action.used) };
          await client.update<ResourceQuota>(RESOURCE_QUOTAS, namespace, name, { ...quota, status }, { subresource: "status" });
        }
      },
    });
  },
};
