import type { Deployment, DeploymentStatus, ReplicaSet } from "#api/generated/apps/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { referenceTo } from "#client/event-target.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { controllerOf, controllerReference } from "#component-helpers/pod/owner.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";
import { type Change, type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { Expectations } from "../../framework/expectations.ts";
import { isNamespaceTerminating } from "../../framework/namespace-terminating.ts";
import { ownerKeys } from "../../framework/owner-keys.ts";
import { addOwnershipIndexes, type OwnerKind, orphansIn, ownedBy, writeClaims } from "../../framework/ownership.ts";
import { DEPLOYMENTS, PODS, REPLICA_SETS } from "../../framework/resources.ts";
import { REVISION, withReplicas } from "./annotations.ts";
import { hasProgressDeadline, newCondition, setCondition } from "./conditions.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";
import { equalIgnoringHash, replicasOf } from "./replica-sets.ts";

const KIND: OwnerKind = { id: DEPLOYMENTS, apiVersion: "apps/v1", kind: "Deployment" };

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

    function observe(key: string): Observed | undefined {
      const { namespace, name } = splitKey(key);
      const deployment = deployments.lister.get(namespace, name);
      const uid = deployment?.metadata.uid;
      if (deployment === undefined || uid === undefined) return undefined;
      const owned = ownedBy(replicaSets, uid);
      const isLive = (set: string): boolean =>
        owned.some(({ metadata }) => metadata.uid === set && metadata.deletionTimestamp === undefined);
      // What was written comes back as an event, and the event brings the key again.
      if (!setsWritten.satisfied(uid, replicaSets.revision, isLive)) return undefined;
      if (!deploymentsWritten.satisfied(uid, deployments.revision, () => false)) return undefined;
      return {
        deployment,
        candidates: [...owned, ...orphansIn(replicaSets, namespace)],
        hasRunningPods: ({ metadata }) => ownedBy(pods, metadata.uid ?? "").some((pod) => !isPodTerminal(pod)),
        nowMs: clock.now(),
      };
    }

    async function execute(actions: readonly Action[], { deployment }: Observed): Promise<void> {
      const { namespace = "", uid = "" } = deployment.metadata;
      const target = referenceTo(KIND.apiVersion, KIND.kind, deployment);
      const latest = new Map<string, ReplicaSet>();
      const writeSet = async (replicaSet: ReplicaSet): Promise<void> => {
        const name = replicaSet.metadata.name ?? "";
        const written = await client.update<ReplicaSet>(REPLICA_SETS, namespace, name, replicaSet);
        setsWritten.wrote(uid, written.metadata.resourceVersion);
        latest.set(name, written);
      };
      for (const action of actions) {
        switch (action.type) {
          case "claim":
            await writeClaims(
              client,
              KIND,
              deployment,
              REPLICA_SETS,
              action,
              controllerReference(KIND.apiVersion, KIND.kind, deployment),
            );
            break;
          case "createReplicaSet":
            await createReplicaSet(deployment, action);
            break;
          case "updateReplicaSet":
            await writeSet(action.replicaSet);
            break;
          case "scale": {
            const name = action.replicaSet.metadata.name ?? "";
            const replicaSet = latest.get(name) ?? action.replicaSet;
            const from = replicasOf(replicaSet);
            const annotations = { ...withReplicas(replicaSet.metadata.annotations, deployment) };
            if (from === action.replicas && semanticEqual(annotations, replicaSet.metadata.annotations)) break;
            await writeSet({
              ...replicaSet,
              metadata: { ...replicaSet.metadata, annotations },
              spec: { ...replicaSet.spec, replicas: action.replicas },
            });
            if (from === action.replicas) break;
            const direction = from < action.replicas ? "up" : "down";
            const message = `Scaled ${direction} replica set ${name} from ${from} to ${action.replicas}`;
            recorder.event(target, "Normal", "ScalingReplicaSet", message);
            break;
          }
          case "deleteReplicaSet":
            await deleteReplicaSet(uid, action.replicaSet);
            break;
          case "updateStatus":
            await updateStatus(deployment, action.status, action.revision);
            break;
          case "rollback": {
            const written = await client.update<Deployment>(
              DEPLOYMENTS,
              namespace,
              deployment.metadata.name ?? "",
              action.deployment,
            );
            deploymentsWritten.wrote(uid, written.metadata.resourceVersion);
            recorder.event(target, action.eventType, action.reason, action.message);
            break;
          }
          case "event":
            recorder.event(target, action.eventType, action.reason, action.message);
            break;
        }
      }
    }

    async function createReplicaSet(
      deployment: Deployment,
      { replicaSet, status, revision }: Action & { type: "createReplicaSet" },
    ): Promise<void> {
      const { namespace = "", uid = "" } = deployment.metadata;
      const name = replicaSet.metadata.name ?? "";
      const target = referenceTo(KIND.apiVersion, KIND.kind, deployment);
      try {
        const created = await client.create<ReplicaSet>(REPLICA_SETS, namespace, replicaSet);
        setsWritten.wrote(uid, created.metadata.resourceVersion);
      } catch (error) {
        if (isAlreadyExists(error)) return resolveCollision(deployment, name);
        if (isNamespaceTerminating(error)) return;
        const message = `Failed to create new replica set "${name}": ${error instanceof Error ? error.message : error}`;
        if (hasProgressDeadline(deployment)) {
          const failed = newCondition("Progressing", "False", "ReplicaSetCreateError", message, clock.now());
          const conditions = setCondition(deployment.status?.conditions ?? [], failed);
          await updateStatus(deployment, { ...deployment.status, conditions }, revision);
        }
        recorder.event(target, "Warning", "ReplicaSetCreateError", message);
        throw error;
      }
      const replicas = replicasOf(replicaSet);
      if (replicas > 0) {
        recorder.event(target, "Normal", "ScalingReplicaSet", `Scaled up replica set ${name} from 0 to ${replicas}`);
      }
      await updateStatus(deployment, status, revision);
    }

    /** Ours after all, when the mirror lagged; otherwise another name is tried. */
    async function resolveCollision(deployment: Deployment, name: string): Promise<void> {
      const { namespace = "", uid = "" } = deployment.metadata;
      const existing = await client.get<ReplicaSet>(REPLICA_SETS, namespace, name);
      const ours =
        controllerOf(existing)?.uid === uid && equalIgnoringHash(existing.spec.template ?? {}, deployment.spec.template);
      if (ours) {
        setsWritten.wrote(uid, existing.metadata.resourceVersion);
        return;
      }
      const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
      await updateStatus(deployment, { ...deployment.status, collisionCount }, undefined);
    }

    async function deleteReplicaSet(uid: string, { metadata }: ReplicaSet): Promise<void> {
      try {
        setsWritten.deleting(uid, metadata.uid ?? "");
        await client.delete(REPLICA_SETS, metadata.namespace ?? "", metadata.name ?? "");
      } catch (error) {
        setsWritten.notDeleting(uid, metadata.uid ?? "");
        if (!isNotFound(error)) throw error;
      }
    }

    async function updateStatus(deployment: Deployment, status: DeploymentStatus, revision: number | undefined): Promise<void> {
      if (revision === undefined && sameStatus(deployment.status ?? {}, status)) return;
      const { namespace = "", name = "", uid = "" } = deployment.metadata;
      const annotations =
        revision === undefined ? {} : { annotations: { ...deployment.metadata.annotations, [REVISION]: String(revision) } };
      const next: Deployment = { ...deployment, metadata: { ...deployment.metadata, ...annotations }, status };
      try {
        const written = await client.update<Deployment>(DEPLOYMENTS, namespace, name, next, { subresource: "status" });
        deploymentsWritten.wrote(uid, written.metadata.resourceVersion);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }

    /** Recreate waits for the last old pod. */
    function* podKeys({ type, object }: Change<Pod>): Generator<string> {
      if (type !== "delete") return;
      const namespace = object.metadata.namespace ?? "";
      const owner = controllerOf(object);
      if (owner?.kind !== "ReplicaSet") return;
      const replicaSet = replicaSets.lister.get(namespace, owner.name);
      const reference = replicaSet === undefined ? undefined : controllerOf(replicaSet);
      if (reference?.kind !== KIND.kind) return;
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
          ownerKeys({ kind: KIND, informer: deployments, selectorOf: ({ spec }) => labelSelectorFromObject(spec.selector) }),
        ),
        source(pods, podKeys),
      ],
      observe,
      reconcile,
      execute,
    });
  },
};

/** Numbers that are absent on the wire are zero. */
function sameStatus(a: DeploymentStatus, b: DeploymentStatus): boolean {
  return semanticEqual(withoutZeros(a), withoutZeros(b));
}

function withoutZeros(status: DeploymentStatus): Record<string, unknown> {
  const entries = Object.entries(status).filter(([name, value]) => value !== 0 || name === "terminatingReplicas");
  return Object.fromEntries(entries);
}
