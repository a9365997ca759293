import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { keyOf, objectKey } from "#client/object-meta.ts";
import { type Change, type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { PERSISTENT_VOLUME_CLAIMS, PODS } from "../../framework/resources.ts";
import { LivePods } from "./live-pods.ts";
import { type Action, claimNamesOf, type Observed, PVC_FINALIZER, reconcile } from "./reconcile.ts";
import { WaitingClaims } from "./waiting-claims.ts";

const BY_CLAIM = "claim";
/** Claims of a namespace that are written at the same time. */
const CLAIMS_AT_ONCE = 5;

interface ObservedNamespace {
  readonly namespace: string;
  readonly claims: readonly Observed[];
}

/** Keeps claims that pods use from being removed. Its keys are namespaces. */
export const persistentVolumeClaimProtectionController: ControllerDefinition = {
  name: "persistentvolumeclaim-protection-controller",
  create({ client, informers }) {
    const claims = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const pods = informers.informer<Pod>(PODS);
    pods.addIndex(BY_CLAIM, claimKeys);
    const waiting = new WaitingClaims();

    function podKeys({ type, old, object }: Change<Pod>): readonly string[] {
      const replaced = old !== undefined && old.metadata.uid !== object.metadata.uid;
      const ended = type === "delete" || object.metadata.deletionTimestamp !== undefined || !object.spec.nodeName;
      return replaced ? [...claimKeys(old), ...claimKeys(object)] : ended ? claimKeys(object) : [];
    }

    function observe(namespace: string): ObservedNamespace {
      const observed: Observed[] = [];
      for (const name of waiting.take(namespace)) {
        const claim = claims.lister.get(namespace, name);
        if (claim === undefined) continue;
        // Of one that lives nobody wants to know who uses it.
        const isGoing = claim.metadata.deletionTimestamp !== undefined;
        observed.push({ claim, pods: isGoing ? pods.byIndex(BY_CLAIM, objectKey(namespace, name)) : [] });
      }
      return { namespace, claims: observed };
    }

    async function execute(actions: readonly Action[], { namespace }: ObservedNamespace): Promise<void> {
      const livePods = new LivePods(client, namespace);
      const failures: unknown[] = [];
      const rest = actions.values();
      const work = async (): Promise<void> => {
        for (const action of rest) {
          try {
            await executeOne(action, livePods);
          } catch (error) {
            failures.push(error);
            waiting.add([keyOf(action.claim)]);
          }
        }
      };
      await Promise.all(Array.from({ length: CLAIMS_AT_ONCE }, work));
      if (failures.length > 0) throw failures[0];
    }

    async function executeOne({ type, claim }: Action, livePods: LivePods): Promise<void> {
      const { namespace = "", name = "", finalizers = [] } = claim.metadata;
      if (type === "letGo" && (await livePods.use(claim))) return;
      const kept = finalizers.filter((finalizer) => finalizer !== PVC_FINALIZER);
      const next = type === "protect" ? [...kept, PVC_FINALIZER] : kept;
      const written = { ...claim, metadata: { ...claim.metadata, finalizers: next } };
      try {
        await client.update<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, namespace, name, written);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }

    return controller<ObservedNamespace, Action>({
      sources: [
        source(claims, ({ type, object }) => (type === "delete" ? [] : waiting.add([keyOf(object)]))),
        source(pods, (change) => waiting.add(podKeys(change))),
      ],
      observe,
      reconcile: ({ claims: observed }) => observed.flatMap(reconcile),
      execute,
    });
  },
};

function claimKeys(pod: Pod): string[] {
  return claimNamesOf(pod).map((name) => objectKey(pod.metadata.namespace ?? "", name));
}
