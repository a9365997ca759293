import type { Pod, Volume } from "#api/generated/core/v1.ts";

/** Whether a pod names disks itself that only one pod of a node can use. */
export function namesDisks(pod: Pod): boolean {
  return (pod.spec.volumes ?? []).some(
    ({ gcePersistentDisk, awsElasticBlockStore, iscsi, rbd }) =>
      gcePersistentDisk !== undefined || awsElasticBlockStore !== undefined || iscsi !== undefined || rbd !== undefined,
  );
}

/** Whether two pods cannot be on one node for a disk that both name. Some disks can be shared for reading. */
export function disksConflict(pod: Pod, other: Pod): boolean {
  return (pod.spec.volumes ?? []).some((a) => (other.spec.volumes ?? []).some((b) => volumesConflict(a, b)));
}

function volumesConflict(a: Volume, b: Volume): boolean {
  const writes = (one: { readonly readOnly?: boolean }, two: { readonly readOnly?: boolean }): boolean =>
    !(one.readOnly && two.readOnly);
  if (a.gcePersistentDisk !== undefined && b.gcePersistentDisk !== undefined) {
    const same = a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName;
    if (same && writes(a.gcePersistentDisk, b.gcePersistentDisk)) return true;
  }
  if (a.awsElasticBlockStore !== undefined && b.awsElasticBlockStore !== undefined) {
    if (a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID) return true;
  }
  if (a.iscsi !== undefined && b.iscsi !== undefined) {
    if (a.iscsi.iqn === b.iscsi.iqn && writes(a.iscsi, b.iscsi)) return true;
  }
  if (a.rbd === undefined || b.rbd === undefined) return false;
  const { monitors, pool = "rbd", image } = b.rbd;
  const same = (a.rbd.pool ?? "rbd") === pool && a.rbd.image === image;
  return same && writes(a.rbd, b.rbd) && a.rbd.monitors.some((monitor) => monitors.includes(monitor));
}
