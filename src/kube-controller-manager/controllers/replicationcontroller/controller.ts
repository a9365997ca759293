import type { ReplicationController } from "#api/generated/core/v1.ts";
import { selectorFromSet } from "#apimachinery/labels/selector.ts";
import type { ControllerDefinition } from "../../framework/controller.ts";
import { REPLICATION_CONTROLLERS } from "../../framework/resources.ts";
import { createReplicaController } from "../replicaset/engine.ts";

/** Keeps as many pods as each ReplicationController asks for. */
export const replicationControllerController: ControllerDefinition = {
  name: "replicationcontroller-controller",
  eventSource: "replication-controller",
  create: (context) =>
    createReplicaController<ReplicationController>(
      {
        id: REPLICATION_CONTROLLERS,
        apiVersion: "v1",
        kind: "ReplicationController",
        countTerminating: false,
        view: ({ metadata, spec, status }) => ({
          metadata,
          replicas: spec.replicas ?? 1,
          minReadySeconds: spec.minReadySeconds ?? 0,
          selector: selectorFromSet(spec.selector ?? {}),
          template: spec.template ?? {},
          status: status ?? { replicas: 0 },
        }),
        withStatus: (object, status) => ({ ...object, status }),
        siblings: (object) => [object],
      },
      context,
    ),
};
