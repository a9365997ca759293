import type { Pod } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { type ObjectReference, referenceTo } from "#client/event-target.ts";
import type { SharedInformer } from "#client/informer.ts";
import { keyOf, objectKey, splitKey } from "#client/object-meta.ts";
import { controllerOf, controllerReference } from "#component-helpers/pod/owner.ts";
import { isPodActive } from "#component-helpers/pod/pod-conditions.ts";
import { type AnyController, type Change, type ControllerContext, controller, source } from "../../framework/controller.ts";
import { Expectations } from "../../framework/expectations.ts";
import { addOwnershipIndexes, type OwnerKind, orphansIn, ownedBy, writeClaims } from "../../framework/ownership.ts";
import { podFromTemplate } from "../../framework/pod-template.ts";
import { PODS } from "../../framework/resources.ts";
import { slowStartBatch } from "../../framework/slow-start.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";
import type { ReplicaOwner, ReplicaStatus } from "./replica-owner.ts";
import { calculateStatus, statusChanged } from "./status.ts";

/** How ReplicaSets and ReplicationControllers differ. */
export interface ReplicaKind<T extends object> extends OwnerKind {
  readonly countTerminating: boolean;
  view(object: T): ReplicaOwner;
  withStatus(object: T, status: ReplicaStatus): T;
  /** Others with the same purpose, itself included. */
  siblings(object: T, informer: SharedInformer<T>): readonly T[];
}

/** The one engine behind ReplicaSets and ReplicationControllers. */
export function createReplicaController<T extends object>(kind: ReplicaKind<T>, context: ControllerContext): AnyController {
  const { client, clock, recorder } = context;
  const owners = context.informers.informer<T>(kind.id);
  const pods = context.informers.informer<Pod>(PODS);
  addOwnershipIndexes(pods);
  const expectations = new Expectations(clock);

  function observe(key: string): (Observed & { readonly object: T }) | undefined {
    const { namespace, name } = splitKey(key);
    const object = owners.lister.get(namespace, name);
    if (object === undefined) return undefined;
    const owner = kind.view(object);
    const uid = owner.metadata.uid ?? "";
    const owned = ownedBy(pods, uid);
    const isLive = (podUid: string): boolean =>
      owned.some(({ metadata }) => metadata.uid === podUid && metadata.deletionTimestamp === undefined);
    return {
      object,
      owner,
      candidates: [...owned, ...orphansIn(pods, namespace)],
      related: kind
        .siblings(object, owners)
        .flatMap((sibling) => ownedBy(pods, kind.view(sibling).metadata.uid ?? ""))
        .filter(isPodActive),
      mayManage: expectations.satisfied(uid, pods.revision, isLive),
      nowMs: clock.now(),
    };
  }

  async function execute(actions: readonly Action[], { object, owner }: Observed & { readonly object: T }): Promise<void> {
    const target = referenceTo(kind.apiVersion, kind.kind, owner);
    const reference = controllerReference(kind.apiVersion, kind.kind, owner);
    let failure: unknown;
    for (const action of actions) {
      switch (action.type) {
        case "claim":
          await writeClaims(client, kind, owner, PODS, action, reference);
          break;
        case "createPods": {
          const { error } = await slowStartBatch(action.count, () => createPod(owner, target));
          failure = error;
          break;
        }
        case "deletePods": {
          const results = await Promise.allSettled(action.pods.map((pod) => deletePod(owner, target, pod)));
          failure = results.find((result) => result.status === "rejected")?.reason;
          break;
        }
        case "updateStatus":
          await updateStatus(object, owner, action, failure);
          break;
      }
    }
    if (failure !== undefined) throw failure;
  }

  async function createPod(owner: ReplicaOwner, target: ObjectReference): Promise<void> {
    const { namespace = "", name = "", uid = "" } = owner.metadata;
    try {
      const reference = controllerReference(kind.apiVersion, kind.kind, owner);
      const pod = await client.create<Pod>(PODS, namespace, podFromTemplate(owner.template, namespace, name, reference));
      expectations.wrote(uid, pod.metadata.resourceVersion);
      recorder.event(target, "Normal", "SuccessfulCreate", `Created pod: ${pod.metadata.name}`);
    } catch (error) {
      // No use to try again, nor to tell anybody.
      if (isNamespaceTerminating(error)) return;
      recorder.event(target, "Warning", "FailedCreate", `Error creating: ${messageOf(error)}`);
      throw error;
    }
  }

  async function deletePod(owner: ReplicaOwner, target: ObjectReference, pod: Pod): Promise<void> {
    const { namespace = "", name = "", uid = "" } = pod.metadata;
    const ownerUid = owner.metadata.uid ?? "";
    expectations.deleting(ownerUid, uid);
    try {
      await client.delete(PODS, namespace, name, { preconditions: { uid } });
      recorder.event(target, "Normal", "SuccessfulDelete", `Deleted pod: ${name}`);
    } catch (error) {
      expectations.notDeleting(ownerUid, uid);
      if (isNotFound(error)) return;
      recorder.event(target, "Warning", "FailedDelete", `Error deleting: ${messageOf(error)}`);
      throw error;
    }
  }

  async function updateStatus(
    object: T,
    owner: ReplicaOwner,
    { active, terminating }: Action & { type: "updateStatus" },
    error: unknown,
  ): Promise<void> {
    const { countTerminating } = kind;
    const status = calculateStatus(owner, { active, terminating, error, countTerminating, nowMs: clock.now() });
    if (!statusChanged(owner.status, status)) return;
    const { namespace = "", name = "" } = owner.metadata;
    try {
      await client.update(kind.id, namespace, name, kind.withStatus(object, status), { subresource: "status" });
    } catch (failure) {
      if (!isNotFound(failure)) throw failure;
    }
  }

  function* podKeys(change: Change<Pod>): Generator<string> {
    const { object, old } = change;
    const namespace = object.metadata.namespace ?? "";
    const reference = controllerOf(object);
    const before = old === undefined ? undefined : controllerOf(old);
    if (before !== undefined && before.uid !== reference?.uid && before.kind === kind.kind) {
      yield objectKey(namespace, before.name);
    }
    if (reference !== undefined) {
      if (reference.kind === kind.kind && reference.apiVersion === kind.apiVersion) yield objectKey(namespace, reference.name);
      return;
    }
    // An orphan may be adopted, unless nothing changed that matters for that.
    if (change.type === "delete" || object.metadata.deletionTimestamp !== undefined) return;
    if (old !== undefined && before === undefined && old.metadata.labels === object.metadata.labels) return;
    for (const candidate of owners.lister.list(namespace)) {
      const { selector } = kind.view(candidate);
      if (selector.matches(object.metadata.labels) && !selector.empty) yield keyOf(candidate);
    }
  }

  return controller<Observed & { readonly object: T }, Action>({
    sources: [
      source(owners, ({ type, object }) => {
        if (type === "delete") expectations.forget(kind.view(object).metadata.uid ?? "");
        return [keyOf(object)];
      }),
      source(pods, podKeys),
    ],
    observe,
    reconcile,
    execute,
  });
}

function isNamespaceTerminating(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    (error.status.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") ?? false)
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
