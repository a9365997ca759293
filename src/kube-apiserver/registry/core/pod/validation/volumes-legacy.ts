import type {
  AWSElasticBlockStoreVolumeSource,
  AzureDiskVolumeSource,
  AzureFileVolumeSource,
  CephFSVolumeSource,
  CinderVolumeSource,
  CSIVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  GCEPersistentDiskVolumeSource,
  GlusterfsVolumeSource,
  ISCSIVolumeSource,
  NFSVolumeSource,
  QuobyteVolumeSource,
  RBDVolumeSource,
  ScaleIOVolumeSource,
  StorageOSVolumeSource,
  Volume,
} from "#api/generated/core/v1.ts";
import { type FieldError, invalid, notSupported, required, tooLong } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, isDns1123Subdomain, nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { dnsLabelErrors, invalidEach } from "./field-checks.ts";

const PARTITION_RANGE = "must be between 1 and 255, inclusive";
const LUN_RANGE = "must be between 0 and 255, inclusive";

/** One `Required` for each field that is empty. */
function requireFields<T extends object>(source: T, path: FieldPath, ...fields: readonly (keyof T & string)[]): FieldError[] {
  return fields.flatMap((field) => {
    const value = source[field];
    const empty = value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
    return empty ? [required(path.child(field), "")] : [];
  });
}

function partitionErrors(partition: number | undefined, path: FieldPath): FieldError[] {
  const value = partition ?? 0;
  return value < 0 || value > 255 ? [invalid(path.child("partition"), value, PARTITION_RANGE)] : [];
}

function secretNameErrors(ref: { readonly name?: string } | undefined | null, path: FieldPath): FieldError[] {
  return ref && !ref.name ? [required(path.child("secretRef", "name"), "")] : [];
}

/** A disk of Google Compute Engine, whole or one of its partitions. */
export function validateGcePersistentDisk(source: GCEPersistentDiskVolumeSource, path: FieldPath): FieldError[] {
  return [...requireFields(source, path, "pdName"), ...partitionErrors(source.partition, path)];
}

/** A disk of Amazon EC2, whole or one of its partitions. */
export function validateAwsElasticBlockStore(source: AWSElasticBlockStoreVolumeSource, path: FieldPath): FieldError[] {
  return [...requireFields(source, path, "volumeID"), ...partitionErrors(source.partition, path)];
}

/** A directory that an NFS server exports. */
export function validateNfs(source: NFSVolumeSource, path: FieldPath): FieldError[] {
  const errors = requireFields(source, path, "server", "path");
  const target = source.path ?? "";
  if (!target.startsWith("/")) errors.push(invalid(path.child("path"), target, "must be an absolute path"));
  return errors;
}

const ISCSI_FORMATS: Readonly<Record<string, (name: string) => boolean>> = {
  iqn: isIqn,
  eui: (name) => /^eui.[A-Za-z0-9]{16}$/.test(name),
  naa: (name) => /^naa.[A-Za-z0-9]{32}$/.test(name),
};

/** A dated authority somewhere, whose name a colon ends; from there on all is allowed but separators. Each part is looked at once. */
function isIqn(name: string): boolean {
  const tail = name.search(/[,;*&$|\s][^,;*&$|\s]*$/);
  for (const { 0: run, index } of name.matchAll(/[A-Za-z0-9\-.]+/g)) {
    const end = index + run.length;
    if (end > tail && end + 1 < name.length && name[end] === ":" && /iqn\.\d{4}-\d{2}\../.test(run)) return true;
  }
  return false;
}

/** The qualified name of an iSCSI target or initiator, in one of its three formats. */
export function iscsiFormatErrors(name: string, path: FieldPath): FieldError[] {
  const format = ISCSI_FORMATS[name.slice(0, 3)];
  if (!format) return [invalid(path, name, "must be valid format starting with iqn, eui, or naa")];
  return format(name) ? [] : [invalid(path, name, "must be valid format")];
}

/** An iSCSI disk. Upstream reports `initiatorName` as `initiatorname`. */
export function validateIscsi(source: ISCSIVolumeSource, path: FieldPath): FieldError[] {
  const errors = requireFields(source, path, "targetPortal", "iqn");
  if (source.iqn) errors.push(...iscsiFormatErrors(source.iqn, path.child("iqn")));
  errors.push(...iscsiAccessErrors(source, path));
  const initiator = source.initiatorName;
  if (initiator !== undefined && initiator !== null) errors.push(...iscsiFormatErrors(initiator, path.child("initiatorname")));
  return errors;
}

/** The unit of an iSCSI target, and the secret that its authentication needs. */
export function iscsiAccessErrors(
  source: Pick<ISCSIVolumeSource, "lun" | "chapAuthDiscovery" | "chapAuthSession"> & { readonly secretRef?: unknown },
  path: FieldPath,
): FieldError[] {
  const lun = source.lun ?? 0;
  const errors = lun < 0 || lun > 255 ? [invalid(path.child("lun"), lun, LUN_RANGE)] : [];
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef) {
    errors.push(required(path.child("secretRef"), ""));
  }
  return errors;
}

const ISCSI_NAME_BYTES_MAX = 64;
/** What is said of an iSCSI interface whose name would be too long. */
export const ISCSI_NAME_TOO_LONG =
  "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";

/** The kubelet names the iSCSI interface after the volume and its portal. */
export function isIscsiNameTooLong(
  name: string,
  source: Pick<ISCSIVolumeSource, "initiatorName" | "targetPortal"> | undefined,
): boolean {
  if (source?.initiatorName === undefined || source.initiatorName === null) return false;
  return byteLength(`${name}:${source.targetPortal ?? ""}`) > ISCSI_NAME_BYTES_MAX;
}

/** The same complaint, as pods have it. */
export function iscsiNameErrors(volume: Volume, name: string, path: FieldPath): FieldError[] {
  return isIscsiNameTooLong(name, volume.iscsi) ? [invalid(path.child("name"), name, ISCSI_NAME_TOO_LONG)] : [];
}

/** A Gluster file system, found through an Endpoints object. */
export function validateGlusterfs(source: GlusterfsVolumeSource, path: FieldPath): FieldError[] {
  return requireFields(source, path, "endpoints", "path");
}

/** A Flocker dataset: either its name or its uuid. */
export function validateFlocker(source: FlockerVolumeSource, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const name = source.datasetName ?? "";
  const uuid = source.datasetUUID ?? "";
  if (name === "" && uuid === "") errors.push(required(path, "one of datasetName and datasetUUID is required"));
  if (name !== "" && uuid !== "") {
    errors.push(invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously"));
  }
  if (name.includes("/")) errors.push(invalid(path.child("datasetName"), name, "must not contain '/'"));
  return errors;
}

/** A block device of Ceph. */
export function validateRbd(source: RBDVolumeSource, path: FieldPath): FieldError[] {
  return requireFields(source, path, "monitors", "image");
}

/** A disk of OpenStack. */
export function validateCinder(source: CinderVolumeSource, path: FieldPath): FieldError[] {
  return [...requireFields(source, path, "volumeID"), ...secretNameErrors(source.secretRef, path)];
}

/** A Ceph file system. */
export function validateCephfs(source: CephFSVolumeSource, path: FieldPath): FieldError[] {
  return requireFields(source, path, "monitors");
}

const QUOBYTE_TENANT_BYTES_MAX = 64;
const QUOBYTE_REGISTRY = "must be a host:port pair or multiple pairs separated by commas";

/** A Quobyte volume. */
export function validateQuobyte(source: QuobyteVolumeSource, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const registry = source.registry ?? "";
  if (registry === "") errors.push(required(path.child("registry"), QUOBYTE_REGISTRY));
  else if (byteLength(source.tenant ?? "") > QUOBYTE_TENANT_BYTES_MAX) {
    errors.push(required(path.child("tenant"), "must be a UUID and may not exceed a length of 64 characters"));
  } else {
    for (const pair of registry.split(",")) {
      if (!isHostPort(pair)) errors.push(invalid(path.child("registry"), registry, QUOBYTE_REGISTRY));
    }
  }
  return [...errors, ...requireFields(source, path, "volume")];
}

/** What Go's `net.SplitHostPort` accepts. */
function isHostPort(pair: string): boolean {
  return /^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(pair);
}

/** A Fibre Channel disk: by target and lun, or by world wide identifiers. */
export function validateFc(source: FCVolumeSource, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const names = source.targetWWNs ?? [];
  const ids = source.wwids ?? [];
  if (names.length === 0 && ids.length === 0) {
    errors.push(required(path.child("targetWWNs"), "must specify either targetWWNs or wwids, but not both"));
  }
  if (names.length > 0 && ids.length > 0) {
    errors.push(invalid(path.child("targetWWNs"), names, "targetWWNs and wwids can not be specified simultaneously"));
  }
  if (names.length > 0) {
    const lun = source.lun;
    if (lun === undefined || lun === null) errors.push(required(path.child("lun"), "lun is required if targetWWNs is specified"));
    else if (lun < 0 || lun > 255) errors.push(invalid(path.child("lun"), lun, LUN_RANGE));
  }
  return errors;
}

/** A volume of a driver that is a program on the node; the driver's own options may not be in the namespaces of Kubernetes. */
export function validateFlexVolume(source: FlexVolumeSource, path: FieldPath): FieldError[] {
  const errors = requireFields(source, path, "driver");
  for (const key of Object.keys(source.options ?? {})) {
    const namespace = `.${(key.split("/", 1)[0] ?? "").toLowerCase()}`;
    if (namespace.endsWith(".kubernetes.io") || namespace.endsWith(".k8s.io")) {
      errors.push(invalid(path.child("options").key(key), key, "kubernetes.io and k8s.io namespaces are reserved"));
    }
  }
  return errors;
}

/** A file share of Azure. */
export function validateAzureFile(source: AzureFileVolumeSource, path: FieldPath): FieldError[] {
  return requireFields(source, path, "secretName", "shareName");
}

const AZURE_CACHING = ["None", "ReadOnly", "ReadWrite"];
const AZURE_KINDS = ["Dedicated", "Managed", "Shared"];
const AZURE_MANAGED_URI = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
const AZURE_BLOB_URI = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";

/** A disk of Azure; where its data is depends on its kind. */
export function validateAzureDisk(source: AzureDiskVolumeSource, path: FieldPath): FieldError[] {
  const errors = requireFields(source, path, "diskName", "diskURI");
  const { cachingMode: caching, kind } = source;
  const uri = source.diskURI ?? "";
  if (caching !== undefined && caching !== null && !AZURE_CACHING.includes(caching)) {
    errors.push(notSupported(path.child("cachingMode"), caching, AZURE_CACHING));
  }
  if (kind === undefined || kind === null) return errors;
  if (!AZURE_KINDS.includes(kind)) errors.push(notSupported(path.child("kind"), kind, AZURE_KINDS));
  if (kind === "Managed" && !uri.startsWith("/subscriptions/")) {
    errors.push(notSupported(path.child("diskURI"), uri, [AZURE_MANAGED_URI]));
  }
  if (kind !== "Managed" && !uri.startsWith("https://")) errors.push(notSupported(path.child("diskURI"), uri, [AZURE_BLOB_URI]));
  return errors;
}

/** A StorageOS volume. */
export function validateStorageOs(source: StorageOSVolumeSource, path: FieldPath): FieldError[] {
  const errors = requireFields(source, path, "volumeName");
  if (source.volumeName) errors.push(...dnsLabelErrors(source.volumeName, path.child("volumeName")));
  if (source.volumeNamespace) errors.push(...dnsLabelErrors(source.volumeNamespace, path.child("volumeNamespace")));
  return [...errors, ...secretNameErrors(source.secretRef, path)];
}

/** A ScaleIO volume. */
export function validateScaleIo(source: ScaleIOVolumeSource, path: FieldPath): FieldError[] {
  return requireFields(source, path, "gateway", "system", "volumeName");
}

const CSI_DRIVER_BYTES_MAX = 63;

/** The name of a CSI driver; capitals are let through. */
export function csiDriverNameErrors(driver: string, path: FieldPath): FieldError[] {
  if (driver === "") return [required(path, "")];
  const errors: FieldError[] = [];
  if (byteLength(driver) > CSI_DRIVER_BYTES_MAX) errors.push(tooLong(path, CSI_DRIVER_BYTES_MAX));
  return [...errors, ...invalidEach(path, driver, isDns1123Subdomain(driver.toLowerCase()))];
}

/** A volume that a CSI driver makes for one pod (KEP-596). */
export function validateCsi(source: CSIVolumeSource, path: FieldPath): FieldError[] {
  const errors = csiDriverNameErrors(source.driver ?? "", path.child("driver"));
  const ref = source.nodePublishSecretRef;
  if (ref && !ref.name) errors.push(required(path.child("nodePublishSecretRef", "name"), ""));
  else if (ref?.name) errors.push(...invalidEach(path.child("name"), ref.name, nameIsDnsSubdomain(ref.name, false)));
  return errors;
}
