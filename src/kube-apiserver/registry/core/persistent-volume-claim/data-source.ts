import type { PersistentVolumeClaimSpec } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";

/** `dataSource` takes only claims and snapshots; others are dropped, as they always were (KEP-1495). */
export function dropUnsupportedDataSource(
  spec: Draft<PersistentVolumeClaimSpec>,
  old: PersistentVolumeClaimSpec | undefined,
): void {
  // References into other namespaces are behind a feature gate that is off (KEP-3294).
  if (spec.dataSourceRef?.namespace && !old?.dataSourceRef) delete spec.dataSourceRef;
  const { dataSource } = spec;
  // Who gives a reference as well knows that other kinds are no longer ignored.
  if (old?.dataSource || old?.dataSourceRef || spec.dataSourceRef || dataSource === undefined) return;
  const group = dataSource.apiGroup ?? "";
  const isClaim = group === "" && dataSource.kind === "PersistentVolumeClaim";
  const isSnapshot = group === "snapshot.storage.k8s.io" && dataSource.kind === "VolumeSnapshot";
  if (!isClaim && !isSnapshot) delete spec.dataSource;
}

/** Either of the two fields fills the other, unless the reference crosses namespaces. */
export function normalizeDataSources(spec: Draft<PersistentVolumeClaimSpec>): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined && dataSourceRef === undefined) spec.dataSourceRef = { ...dataSource };
  else if (dataSourceRef !== undefined && dataSource === undefined && !dataSourceRef.namespace) {
    const { namespace: _, ...reference } = dataSourceRef;
    spec.dataSource = reference;
  }
}
