import type { ReplicaSet } from "#api/generated/apps/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import type { ControllerDefinition } from "../../framework/controller.ts";
import { addOwnershipIndexes, ownedBy } from "../../framework/ownership.ts";
import { REPLICA_SETS } from "../../framework/resources.ts";
import { createReplicaController } from "./engine.ts";

/** Keeps as many pods as each ReplicaSet asks for. */
export const replicaSetController: ControllerDefinition = {
  name: "replicaset-controller",
  create(context) {
    addOwnershipIndexes(context.informers.informer<ReplicaSet>(REPLICA_SETS));
    return createReplicaController<ReplicaSet>(
      {
        id: REPLICA_SETS,
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        countTerminating: true,
        view: ({ metadata, spec, status }) => ({
          metadata,
          replicas: spec.replicas ?? 1,
          minReadySeconds: spec.minReadySeconds ?? 0,
          selector: labelSelectorFromObject(spec.selector),
          template: spec.template ?? {},
          status: status ?? { replicas: 0 },
        }),
        withStatus: (object, status) => ({ ...object, status }),
        siblings: (object, informer) => {
          const deployment = controllerOf(object);
          return deployment === undefined ? [object] : ownedBy(informer, deployment.uid);
        },
      },
      context,
    );
  },
};
