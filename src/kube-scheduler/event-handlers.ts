import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import type { ResourceId } from "#client/client.ts";
import type { InformerHandler, SharedInformer } from "#client/informer.ts";
import type { SchedulerCache } from "./cache/scheduler-cache.ts";
import { assignedPodActions, nodeUpdateActions } from "./framework/cluster-event.ts";
import { podInfo } from "./framework/pod-info.ts";
import type { Nominator } from "./queue/nominator.ts";
import type { SchedulingQueue } from "./queue/scheduling-queue.ts";

export const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
/** Pods that have ended take nothing and need nothing. */
export const PODS_NOT_ENDED = "status.phase!=Succeeded,status.phase!=Failed";

interface Targets {
  readonly cache: SchedulerCache;
  readonly queue: SchedulingQueue;
  readonly nominator: Nominator;
  readonly schedulerName: string;
}

/** What pods' volumes depend on. */
interface VolumeInformers {
  readonly claims: SharedInformer<PersistentVolumeClaim>;
  readonly volumes: SharedInformer<PersistentVolume>;
  readonly classes: SharedInformer<StorageClass>;
}

/** Brings pods back whose volumes may be ready now. Returns what ends that. */
export function watchVolumes({ claims, volumes, classes }: VolumeInformers, queue: SchedulingQueue): () => void {
  const ends = [
    claims.addHandler({
      onAdd: (claim) => queue.move({ resource: "PersistentVolumeClaim", action: "add", claim }),
      onUpdate: (old, claim) => queue.move({ resource: "PersistentVolumeClaim", action: "update", claim, old }),
    }),
    volumes.addHandler({
      onAdd: (volume) => queue.move({ resource: "PersistentVolume", action: "add", volume }),
      onUpdate: (old, volume) => queue.move({ resource: "PersistentVolume", action: "update", volume, old }),
    }),
    classes.addHandler({
      onAdd: (storageClass) => queue.move({ resource: "StorageClass", action: "add", storageClass }),
      onUpdate: (old, storageClass) => queue.move({ resource: "StorageClass", action: "update", storageClass, old }),
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Keeps cache and queue up with the API. Returns what ends that. */
export function watchCluster(pods: SharedInformer<Pod>, nodes: SharedInformer<Node>, targets: Targets): () => void {
  const ends = [nodes.addHandler(nodeHandler(targets)), pods.addHandler(podHandler(targets))];
  return () => {
    for (const end of ends) end();
  };
}

/** Exported for tests. */
export function nodeHandler({ cache, queue }: Targets): InformerHandler<Node> {
  return {
    onAdd(node) {
      cache.setNode(node);
      queue.move({ resource: "Node", action: "add", node });
    },
    onUpdate(old, node) {
      cache.setNode(node);
      for (const action of nodeUpdateActions(old, node)) queue.move({ resource: "Node", action, node, old });
    },
    onDelete(node) {
      cache.removeNode(node.metadata.name ?? "");
      queue.move({ resource: "Node", action: "delete", node });
    },
  };
}

/** Exported for tests. */
export function podHandler({ cache, queue, nominator, schedulerName }: Targets): InformerHandler<Pod> {
  const isAssigned = (pod: Pod): boolean => Boolean(pod.spec.nodeName);
  const isOurs = (pod: Pod): boolean => pod.spec.schedulerName === schedulerName;
  const nominate = (pod: Pod): void => {
    const nodeName = pod.status?.nominatedNodeName;
    if (nodeName) nominator.set(podInfo(pod), nodeName);
    else nominator.delete(pod.metadata.uid ?? "");
  };

  function assigned(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    cache.setPod(pod);
    queue.delete(uid);
    nominator.delete(uid);
  }

  function waiting(old: Pod | undefined, pod: Pod): void {
    // Its binding is on the way.
    if (cache.isAssumed(pod.metadata.uid ?? "")) return;
    nominate(pod);
    // A status that this scheduler wrote itself, for one, is no reason to try again.
    if (old === undefined) queue.add(pod);
    else {
      queue.update(old, pod);
      if (old.status?.nominatedNodeName !== pod.status?.nominatedNodeName) noLongerComing(old);
    }
  }

  /** Less important pods, and equal ones, had to leave room on the node where the pod was to come. */
  function noLongerComing(pod: Pod): void {
    const nodeName = pod.status?.nominatedNodeName;
    if (nodeName) queue.move({ resource: "AssignedPod", action: "delete", pod, nodeName }, pod.spec.priority ?? 0);
  }

  return {
    onAdd(pod) {
      if (isAssigned(pod)) {
        assigned(pod);
        queue.move({ resource: "AssignedPod", action: "add", pod, nodeName: pod.spec.nodeName });
      } else if (isOurs(pod)) waiting(undefined, pod);
    },
    onUpdate(old, pod) {
      if (!isAssigned(pod)) {
        if (isOurs(pod)) waiting(old, pod);
        return;
      }
      assigned(pod);
      const { nodeName } = pod.spec;
      if (!isAssigned(old)) {
        queue.move({ resource: "AssignedPod", action: "add", pod, nodeName });
        if (old.status?.nominatedNodeName !== nodeName) noLongerComing(old);
      } else
        for (const action of assignedPodActions(old, pod)) queue.move({ resource: "AssignedPod", action, pod, old, nodeName });
    },
    onDelete(pod) {
      const uid = pod.metadata.uid ?? "";
      queue.delete(uid);
      nominator.delete(uid);
      // A pod deleted while its binding was under way gives its place back here, too.
      const held = isAssigned(pod) || cache.isAssumed(uid);
      const nodeName = cache.nodeNameOf(uid) ?? pod.spec.nodeName;
      cache.removePod(uid);
      if (held) queue.move({ resource: "AssignedPod", action: "delete", pod, nodeName });
      else if (isOurs(pod)) noLongerComing(pod);
    },
  };
}
