import type { Deployment, ReplicaSet } from "#api/generated/apps/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";
import { type Change, type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { Expectations } from "../../framework/expectations.ts";
import { ownerKeys } from "../../framework/owner-keys.ts";
import { DEPLOYMENT } from "../../framework/owner-kinds.ts";
import { addOwnershipIndexes, orphansFor, ownedBy } from "../../framework/ownership.ts";
import { DEPLOYMENTS, PODS, REPLICA_SETS } from "../../framework/resources.ts";
import { DeploymentActions } from "./deployment-actions.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";

/** Rolls Deployments out over ReplicaSets. */
export const deploymentController: ControllerDefinition = {
  name: "deployment-controller",
  create({ client, clock, recorder, informers }) {
    const deployments = informers.informer<Deployment>(DEPLOYMENTS);
    const replicaSets = informers.informer<ReplicaSet>(REPLICA_SETS);
    const pods = informers.informer<Pod>(PODS);
    addOwnershipIndexes(replicaSets);
    addOwnershipIndexes(pods);
    const setsWritten = new Expectations(clock);
    const deploymentsWritten = new Expectations(clock);
    const actions = new DeploymentActions({ client, clock, recorder, setsWritten, deploymentsWritten });

    function observe(key: string): Observed | undefined {
      const { namespace, name } = splitKey(key);
      const deployment = deployments.lister.get(namespace, name);
      const uid = deployment?.metadata.uid;
      if (deployment === undefined || uid === undefined) return undefined;
      const owned = ownedBy(replicaSets, uid);
      // What was written comes back as an event, and the event brings the key again.
      if (!setsWritten.satisfied(uid, replicaSets)) return undefined;
      if (!deploymentsWritten.satisfied(uid, deployments)) return undefined;
      return {
        deployment,
        candidates: [...owned, ...orphansFor(replicaSets, namespace, labelSelectorFromObject(deployment.spec.selector))],
        hasRunningPods: ({ metadata }) => ownedBy(pods, metadata.uid ?? "").some((pod) => !isPodTerminal(pod)),
        nowMs: clock.now(),
      };
    }

    /** Recreate waits for the last old pod. */
    function* podKeys({ type, object }: Change<Pod>): Generator<string> {
      if (type !== "delete") return;
      const namespace = object.metadata.namespace ?? "";
      const owner = controllerOf(object);
      if (owner?.kind !== "ReplicaSet") return;
      const replicaSet = replicaSets.lister.get(namespace, owner.name);
      const reference = replicaSet === undefined ? undefined : controllerOf(replicaSet);
      if (reference?.kind !== DEPLOYMENT.kind) return;
      const deployment = deployments.lister.get(namespace, reference.name);
      if (deployment?.spec.strategy?.type === "Recreate") yield keyOf(deployment);
    }

    return controller<Observed, Action>({
      sources: [
        source(deployments, ({ type, object }) => {
          const uid = object.metadata.uid ?? "";
          if (type === "delete") setsWritten.forget(uid);
          if (type === "delete") deploymentsWritten.forget(uid);
          return [keyOf(object)];
        }),
        source(
          replicaSets,
          ownerKeys({
            kind: DEPLOYMENT,
            informer: deployments,
            selectorOf: ({ spec }) => labelSelectorFromObject(spec.selector),
          }),
        ),
        source(pods, podKeys),
      ],
      observe,
      reconcile,
      execute: (decided, observed) => actions.execute(decided, observed),
    });
  },
};
