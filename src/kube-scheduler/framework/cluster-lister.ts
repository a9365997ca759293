import type { ReplicaSet, StatefulSet } from "#api/generated/apps/v1.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod, ReplicationController, Service } from "#api/generated/core/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import type { VolumePool } from "#component-helpers/storage/volume-pool.ts";
import type { NodeInfo } from "./node-info.ts";
import type { NodeList } from "./node-list.ts";

/** What plugins may know of the cluster beside the pod and the node that they look at. */
export interface ClusterLister {
  /** All nodes, with what is on them. */
  nodes(): NodeList;
  /** A node that exists, with what is on it. */
  node(name: string): NodeInfo | undefined;
  /** The lowest priority of all pods on nodes; `Infinity` when there are none. */
  lowestPriority(): number;
  /** A pod as the API shows it. */
  pod(namespace: string, name: string): Pod | undefined;
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  /** All volumes, as claims look for them. */
  volumes(): VolumePool;
  storageClass(name: string): StorageClass | undefined;
  namespaceLabels(namespace: string): Readonly<Record<string, string>> | undefined;
  /** Those that mean a pod, all of whose selectors ask for something. */
  servicesOf(pod: Pod): readonly Service[];
  replicationController(namespace: string, name: string): ReplicationController | undefined;
  replicaSet(namespace: string, name: string): ReplicaSet | undefined;
  statefulSet(namespace: string, name: string): StatefulSet | undefined;
}
