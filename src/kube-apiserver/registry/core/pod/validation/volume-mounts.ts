import type { Container, Volume, VolumeDevice, VolumeMount } from "#api/generated/core/v1.ts";
import { type FieldError, forbidden, invalid, notFound, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { localDescendingPathErrors, noBackstepsErrors } from "./paths.ts";

const MOUNT_PROPAGATIONS = ["Bidirectional", "HostToContainer", "None"];
const RECURSIVE_READ_ONLY = ["Disabled", "Enabled", "IfPossible"];

/** The mounts of one container. Upstream reports some fields at the list, without the index. */
export function validateVolumeMounts(container: Container, volumes: ReadonlyMap<string, Volume>, path: FieldPath): FieldError[] {
  // Of two devices of one name upstream knows the last.
  const devices = new Map((container.volumeDevices ?? []).map((device) => [device.name ?? "", device.devicePath ?? ""]));
  const devicePaths = [...devices.values()];
  const errors: FieldError[] = [];
  const taken = new Set<string>();
  (container.volumeMounts ?? []).forEach((mount, i) => {
    const at = path.index(i);
    const name = mount.name ?? "";
    const target = mount.mountPath ?? "";
    if (name === "") errors.push(required(at.child("name"), ""));
    const volume = volumes.get(name);
    if (!volume) errors.push(notFound(at.child("name"), name));
    if (target === "") errors.push(required(at.child("mountPath"), ""));
    if (taken.has(target)) errors.push(invalid(at.child("mountPath"), target, "must be unique"));
    taken.add(target);
    if (devices.has(name)) {
      errors.push(invalid(at.child("name"), name, "must not already exist in volumeDevices"));
    }
    if (devicePaths.includes(target)) {
      errors.push(invalid(at.child("mountPath"), target, "must not already exist as a path in volumeDevices"));
    }
    errors.push(...subPathErrors(mount, at, path));
    errors.push(...propagationErrors(mount, container, path.child("mountPropagation")));
    errors.push(...recursiveReadOnlyErrors(mount, path.child("recursiveReadOnly")));
  });
  return errors;
}

function subPathErrors(mount: VolumeMount, at: FieldPath, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { subPath, subPathExpr } = mount;
  if (subPath) errors.push(...localDescendingPathErrors(subPath, path.child("subPath")));
  if (subPathExpr) {
    if (subPath) errors.push(invalid(at.child("subPathExpr"), subPathExpr, "subPathExpr and subPath are mutually exclusive"));
    errors.push(...localDescendingPathErrors(subPathExpr, path.child("subPathExpr")));
  }
  return errors;
}

function propagationErrors(mount: VolumeMount, container: Container, path: FieldPath): FieldError[] {
  const mode = mount.mountPropagation;
  if (mode === undefined || mode === null) return [];
  if (!MOUNT_PROPAGATIONS.includes(mode)) return [notSupported(path, mode, MOUNT_PROPAGATIONS)];
  if (mode !== "Bidirectional" || container.securityContext?.privileged === true) return [];
  return [forbidden(path, "Bidirectional mount propagation is available only to privileged containers")];
}

function recursiveReadOnlyErrors(mount: VolumeMount, path: FieldPath): FieldError[] {
  const mode = mount.recursiveReadOnly;
  if (mode === undefined || mode === null || mode === "Disabled") return [];
  if (!RECURSIVE_READ_ONLY.includes(mode)) return [notSupported(path, mode, RECURSIVE_READ_ONLY)];
  const errors: FieldError[] = [];
  if (!mount.readOnly) errors.push(forbidden(path, "may only be specified when readOnly is true"));
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== null && mount.mountPropagation !== "None") {
    errors.push(forbidden(path, "may only be specified when mountPropagation is None or not specified"));
  }
  return errors;
}

/** The raw block devices of one container: only claims can be such. */
export function validateVolumeDevices(container: Container, volumes: ReadonlyMap<string, Volume>, path: FieldPath): FieldError[] {
  const mounts = new Map((container.volumeMounts ?? []).map((mount) => [mount.name ?? "", mount.mountPath ?? ""]));
  const mountPaths = [...mounts.values()];
  const devices: readonly VolumeDevice[] = container.volumeDevices ?? [];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const paths = new Set<string>();
  devices.forEach((device, i) => {
    const at = path.index(i);
    const name = device.name ?? "";
    const target = device.devicePath ?? "";
    const volume = volumes.get(name);
    if (name === "") errors.push(required(at.child("name"), ""));
    if (names.has(name)) errors.push(invalid(at.child("name"), name, "must be unique"));
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      const detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
      errors.push(invalid(at.child("name"), name, detail));
    }
    if (!volume) errors.push(notFound(at.child("name"), name));
    if (target === "") errors.push(required(at.child("devicePath"), ""));
    if (paths.has(target)) errors.push(invalid(at.child("devicePath"), target, "must be unique"));
    if (target !== "" && noBackstepsErrors(target, at).length > 0) {
      errors.push(invalid(at.child("devicePath"), target, "can not contain backsteps ('..')"));
    } else paths.add(target);
    if (mounts.has(name)) {
      errors.push(invalid(at.child("name"), name, "must not already exist in volumeMounts"));
    }
    if (mountPaths.includes(target)) {
      errors.push(invalid(at.child("devicePath"), target, "must not already exist as a path in volumeMounts"));
    }
    if (name !== "") names.add(name);
  });
  return errors;
}
