import { posix } from "node:path";
import type { NodeSelectorTerm, PersistentVolume, PersistentVolumeSpec, VolumeNodeAffinity } from "#api/generated/core/v1.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { parseQuantity, quantitySign, quantityValue } from "#apimachinery/resource/quantity.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";
import { ownValue } from "#base/own-value.ts";
import { toInternal } from "../pod/internal-form.ts";
import { jsonDiff } from "../pod/unified-diff.ts";
import { dnsSubdomainErrors } from "../pod/validation/field-checks.ts";
import { hasInvalidLabelValue, validateNodeSelector } from "../pod/validation/node-selector.ts";
import { sourceOf, validateSource } from "./sources.ts";

const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const RECLAIM_POLICIES = ["Delete", "Recycle", "Retain"];
const VOLUME_MODES = ["Block", "Filesystem"];
const path = FieldPath.of("spec");

/** Upstream's `ValidatePersistentVolume` without the metadata rules. */
export function validatePersistentVolume(volume: PersistentVolume, old?: PersistentVolume): FieldError[] {
  const spec = volume.spec ?? {};
  const { persistentVolumeReclaimPolicy: reclaim, nodeAffinity, storageClassName, volumeMode } = spec;
  const errors = [...validateAccessModes(spec), ...validateCapacity(spec)];
  if (reclaim && !RECLAIM_POLICIES.includes(reclaim)) {
    errors.push(notSupported(path.child("persistentVolumeReclaimPolicy"), reclaim, RECLAIM_POLICIES));
  }
  if (nodeAffinity) {
    const lenient = hasInvalidLabelValue(old?.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? []);
    errors.push(...validateNodeAffinity(nodeAffinity, lenient, path.child("nodeAffinity")));
  }
  errors.push(...validateSource(spec, volume.metadata.name ?? "", path));
  if (spec.hostPath && posix.normalize(spec.hostPath.path ?? "").replace(/(.)\/$/, "$1") === "/" && reclaim === "Recycle") {
    errors.push(forbidden(path.child("persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'"));
  }
  if (storageClassName) errors.push(...dnsSubdomainErrors(storageClassName, path.child("storageClassName")));
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode)) {
    errors.push(notSupported(path.child("volumeMode"), volumeMode, VOLUME_MODES));
  }
  return [...errors, ...validateAttributesClass(spec)];
}

function validateAccessModes(spec: PersistentVolumeSpec): FieldError[] {
  const at = path.child("accessModes");
  const modes = spec.accessModes ?? [];
  const errors = modes.length === 0 ? [required(at, "")] : [];
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(at, mode, ACCESS_MODES));
  const others = modes.some((mode) => mode !== "ReadWriteOncePod" && ACCESS_MODES.includes(mode));
  if (others && modes.includes("ReadWriteOncePod"))
    errors.push(forbidden(at, "may not use ReadWriteOncePod with other access modes"));
  return errors;
}

function validateCapacity(spec: PersistentVolumeSpec): FieldError[] {
  const at = path.child("capacity");
  const names = Object.keys(spec.capacity ?? {}).sort();
  const errors: FieldError[] = [];
  if (names.length === 0) errors.push(required(at, ""));
  if (!names.includes("storage") || names.length > 1) {
    errors.push(notSupported(at, sortedByKey(spec.capacity), ["storage"]));
  }
  for (const name of names) {
    const amount = spec.capacity?.[name] ?? "0";
    const quantity = parseQuantity(amount);
    const value = quantityValue(quantity);
    if (value < 0) errors.push(invalid(at.key(name), value, "must be a valid resource quantity"));
    if (quantitySign(quantity) <= 0) errors.push(invalid(at.key(name), amount, "must be greater than zero"));
  }
  return errors;
}

function sortedByKey(amounts: PersistentVolumeSpec["capacity"]): object | null {
  return amounts ? Object.fromEntries(Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1))) : null;
}

function validateNodeAffinity(affinity: VolumeNodeAffinity, lenient: boolean, at: FieldPath): FieldError[] {
  if (!affinity.required) return [required(at.child("required"), "must specify required node constraints")];
  return validateNodeSelector(affinity.required, lenient, at.child("required"));
}

function validateAttributesClass(spec: PersistentVolumeSpec): FieldError[] {
  const name = spec.volumeAttributesClassName;
  if (name === undefined || name === null) return [];
  const at = path.child("volumeAttributesClassName");
  const errors = name === "" ? [required(at, "an empty string is disallowed")] : dnsSubdomainErrors(name, at);
  if (!spec.csi) errors.push(required(path.child("csi"), "has to be specified when using volumeAttributesClassName"));
  return errors;
}

/** What upstream's strategy checks on an update: the volume twice, then the change. */
export function validatePersistentVolumeUpdate(volume: PersistentVolume, old: PersistentVolume): FieldError[] {
  const own = validatePersistentVolume(volume, old);
  const errors = [...own, ...own];
  const after = deepCopy(sourceOf(volume.spec ?? {}));
  const before = sourceOf(old.spec ?? {});
  if (before.csi && !before.csi.controllerExpandSecretRef && after.csi) delete after.csi.controllerExpandSecretRef;
  if (!semanticEqual(after, before)) {
    const diff = jsonDiff(toInternal("PersistentVolumeSource", before), toInternal("PersistentVolumeSource", after));
    const detail = `spec.persistentvolumesource is immutable after creation\n${diff}`;
    errors.push(forbidden(path.child("persistentvolumesource"), detail));
  }
  errors.push(...validateImmutableField(volume.spec?.volumeMode, old.spec?.volumeMode, FieldPath.of("volumeMode")));
  if (old.spec?.nodeAffinity) errors.push(...affinityChange(volume.spec?.nodeAffinity, old.spec.nodeAffinity));
  if (old.spec?.volumeAttributesClassName !== undefined && volume.spec?.volumeAttributesClassName === undefined) {
    errors.push(forbidden(path.child("volumeAttributesClassName"), "update from non-nil value to nil is forbidden"));
  }
  return errors;
}

const GA_LABELS: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/os": "kubernetes.io/os",
  "beta.kubernetes.io/arch": "kubernetes.io/arch",
  "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
};

/** Only beta labels may become the stable ones of the same meaning. */
function affinityChange(affinity: VolumeNodeAffinity | undefined, old: VolumeNodeAffinity): FieldError[] {
  const upgraded = upgradedTerms(old.required?.nodeSelectorTerms ?? [], affinity?.required?.nodeSelectorTerms ?? []);
  const before = { ...old, ...(old.required ? { required: { ...old.required, nodeSelectorTerms: upgraded } } : {}) };
  if (affinity !== undefined && semanticEqual(affinity, before)) return [];
  const value = affinity ? toInternal("VolumeNodeAffinity", affinity) : null;
  return [invalid(FieldPath.of("nodeAffinity"), value, "field is immutable, except for updating from beta label to GA")];
}

function upgradedTerms(old: readonly NodeSelectorTerm[], now: readonly NodeSelectorTerm[]): NodeSelectorTerm[] {
  return old.map((term, t) => ({
    ...term,
    ...(term.matchExpressions
      ? {
          matchExpressions: term.matchExpressions.map((expression, e) => {
            const ga = ownValue(GA_LABELS, expression.key);
            const key = now[t]?.matchExpressions?.[e]?.key;
            return ga !== undefined && key === ga ? { ...expression, key: ga } : expression;
          }),
        }
      : {}),
  }));
}
