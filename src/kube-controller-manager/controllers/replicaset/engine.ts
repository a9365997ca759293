import type { Pod } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { SharedInformer } from "#client/informer.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";
import { isPodActive } from "#component-helpers/pod/pod-conditions.ts";
import { type AnyController, type ControllerContext, controller, source } from "../../framework/controller.ts";
import { ownerKeys } from "../../framework/owner-keys.ts";
import { addOwnershipIndexes, type OwnerKind, orphansFor, ownedBy, writeClaims } from "../../framework/ownership.ts";
import { PodControl } from "../../framework/pod-control.ts";
import { podFromTemplate } from "../../framework/pod-template.ts";
import { PODS } from "../../framework/resources.ts";
import { slowStartBatch } from "../../framework/slow-start.ts";
import { PodCensus } from "./pod-census.ts";
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
  const census = new PodCensus(kind);
  pods.addTally(census);
  const podControl = new PodControl({ client, clock, recorder });

  function observe(key: string): (Observed & { readonly object: T }) | undefined {
    const { namespace, name } = splitKey(key);
    const object = owners.lister.get(namespace, name);
    if (object === undefined) return undefined;
    const owner = kind.view(object);
    const uid = owner.metadata.uid ?? "";
    return {
      object,
      owner,
      groups: census.of(uid, owner.minReadySeconds > 0),
      owned: () => ownedBy(pods, uid),
      orphans: orphansFor(pods, namespace, owner.selector),
      related: () =>
        kind
          .siblings(object, owners)
          .flatMap((sibling) => ownedBy(pods, kind.view(sibling).metadata.uid ?? ""))
          .filter(isPodActive),
      mayManage: podControl.isSettled(uid, pods),
      nowMs: clock.now(),
    };
  }

  async function execute(actions: readonly Action[], { object, owner }: Observed & { readonly object: T }): Promise<void> {
    const podOwner = { ...kind, object: owner };
    const reference = controllerReference(kind.apiVersion, kind.kind, owner);
    const { namespace = "", name = "" } = owner.metadata;
    let failure: unknown;
    for (const action of actions) {
      switch (action.type) {
        case "claim":
          await writeClaims(client, kind, owner, PODS, action);
          break;
        case "createPods": {
          const { error } = await slowStartBatch(action.count, async () => {
            await podControl.create(podOwner, podFromTemplate(owner.template, namespace, name, reference));
          });
          failure = error;
          break;
        }
        case "deletePods": {
          const results = await Promise.allSettled(action.pods.map((pod) => podControl.delete(podOwner, pod)));
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

  async function updateStatus(
    object: T,
    owner: ReplicaOwner,
    { groups }: Action & { type: "updateStatus" },
    error: unknown,
  ): Promise<void> {
    const { countTerminating } = kind;
    const status = calculateStatus(owner, { groups, error, countTerminating, nowMs: clock.now() });
    if (!statusChanged(owner.status, status)) return;
    const { namespace = "", name = "" } = owner.metadata;
    try {
      await client.update(kind.id, namespace, name, kind.withStatus(object, status), { subresource: "status" });
    } catch (failure) {
      if (!isNotFound(failure)) throw failure;
    }
  }

  return controller<Observed & { readonly object: T }, Action>({
    sources: [
      source(owners, ({ type, object }) => {
        if (type === "delete") podControl.forget(kind.view(object).metadata.uid ?? "");
        return [keyOf(object)];
      }),
      source(pods, ownerKeys({ kind, informer: owners, selectorOf: (object) => kind.view(object).selector })),
    ],
    observe,
    reconcile,
    execute,
  });
}
