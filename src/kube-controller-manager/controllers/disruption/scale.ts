import type { Deployment, ReplicaSet, StatefulSet } from "#api/generated/apps/v1.ts";
import type { Pod, ReplicationController } from "#api/generated/core/v1.ts";
import type { OwnerReference } from "#api/generated/meta/v1.ts";
import type { SharedInformer, SharedInformerFactory } from "#client/informer.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import type { Owned } from "../../framework/ownership.ts";
import { DEPLOYMENTS, REPLICA_SETS, REPLICATION_CONTROLLERS, STATEFUL_SETS } from "../../framework/resources.ts";

/** The sum of the replicas that the pods' controllers are asked for, each counted once. */
export interface PodsScale {
  readonly scale: number | Error;
  readonly unmanaged: boolean;
}

interface Scaled {
  readonly uid: string;
  readonly replicas: number;
}

/** Finds what a pod's controller is asked for. Upstream's `getExpectedScale` and its finders. */
export class ScaleFinder {
  readonly informers: readonly Pick<SharedInformer<object>, "waitForSync">[];
  readonly #replicaSets: SharedInformer<ReplicaSet>;
  readonly #deployments: SharedInformer<Deployment>;
  readonly #statefulSets: SharedInformer<StatefulSet>;
  readonly #replicationControllers: SharedInformer<ReplicationController>;

  constructor(informers: SharedInformerFactory) {
    this.#replicaSets = informers.informer(REPLICA_SETS);
    this.#deployments = informers.informer(DEPLOYMENTS);
    this.#statefulSets = informers.informer(STATEFUL_SETS);
    this.#replicationControllers = informers.informer(REPLICATION_CONTROLLERS);
    this.informers = [this.#replicaSets, this.#deployments, this.#statefulSets, this.#replicationControllers];
  }

  scaleOf(pods: readonly Pod[]): PodsScale {
    const replicas = new Map<string, number>();
    let unmanaged = false;
    const seen = new Set<string>();
    for (const pod of pods) {
      const reference = controllerOf(pod);
      if (reference === undefined) {
        unmanaged = true;
        continue;
      }
      if (seen.has(reference.uid)) continue;
      seen.add(reference.uid);
      const found = this.#find(reference, pod.metadata.namespace ?? "");
      if (found === undefined) {
        const error = new Error(`found no controllers for pod ${JSON.stringify(pod.metadata.name ?? "")}`);
        return { scale: error, unmanaged };
      }
      replicas.set(found.uid, found.replicas);
    }
    return { scale: [...replicas.values()].reduce((sum, count) => sum + count, 0), unmanaged };
  }

  #find(reference: OwnerReference, namespace: string): Scaled | undefined {
    const group = reference.apiVersion.split("/")[0];
    if (reference.kind === "ReplicationController" && reference.apiVersion === "v1") {
      return scaled(this.#replicationControllers.lister.get(namespace, reference.name), reference);
    }
    if (group !== "apps") return undefined;
    if (reference.kind === "StatefulSet") return scaled(this.#statefulSets.lister.get(namespace, reference.name), reference);
    if (reference.kind !== "ReplicaSet") return undefined;
    const set = this.#replicaSets.lister.get(namespace, reference.name);
    const owner = set === undefined ? undefined : controllerOf(set);
    if (owner?.kind !== "Deployment") return scaled(set, reference);
    return scaled(this.#deployments.lister.get(namespace, owner.name), owner);
  }
}

/** Upstream's default of `replicas`, which every stored object has. */
const DEFAULT_REPLICAS = 1;

function scaled(
  object: (Owned & { readonly spec?: { readonly replicas?: number } }) | undefined,
  { uid }: OwnerReference,
): Scaled | undefined {
  if (object === undefined || object.metadata.uid !== uid) return undefined;
  return { uid, replicas: object.spec?.replicas ?? DEFAULT_REPLICAS };
}
