import type {
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  DownwardAPIVolumeSource,
  GitRepoVolumeSource,
  HostPathVolumeSource,
  ImageVolumeSource,
  KeyToPath,
  SecretVolumeSource,
} from "#api/generated/core/v1.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { VOLUME_FIELDS, validateObjectFieldSelector, validateResourceFieldSelector } from "./downward-api.ts";
import type { PodValidationOptions } from "./options.ts";
import { fileModeErrors, localDescendingPathErrors, localNonReservedPathErrors, noBackstepsErrors } from "./paths.ts";
import { validatePullPolicy } from "./pull-policy.ts";

const HOST_PATH_TYPES = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

/** A file or directory of the node. */
export function validateHostPath(source: HostPathVolumeSource, path: FieldPath): FieldError[] {
  const target = source.path ?? "";
  if (target === "") return [required(path.child("path"), "")];
  const errors = noBackstepsErrors(target, path.child("path"));
  const type = source.type;
  if (type !== undefined && type !== null && !HOST_PATH_TYPES.includes(type)) {
    errors.push(notSupported(path.child("type"), type, HOST_PATH_TYPES));
  }
  return errors;
}

/** A clone of a git repository. */
export function validateGitRepo(source: GitRepoVolumeSource, path: FieldPath): FieldError[] {
  const errors = source.repository ? [] : [required(path.child("repository"), "")];
  return [...errors, ...localDescendingPathErrors(source.directory ?? "", path.child("directory"))];
}

/** Keys of a Secret as files. */
export function validateSecret(source: SecretVolumeSource, path: FieldPath): FieldError[] {
  return [
    ...(source.secretName ? [] : [required(path.child("secretName"), "")]),
    ...fileModeErrors(source.defaultMode, path.child("defaultMode")),
    ...keysToPathsErrors(source.items ?? [], path.child("items")),
  ];
}

/** Keys of a ConfigMap as files. */
export function validateConfigMap(source: ConfigMapVolumeSource, path: FieldPath): FieldError[] {
  return [
    ...(source.name ? [] : [required(path.child("name"), "")]),
    ...fileModeErrors(source.defaultMode, path.child("defaultMode")),
    ...keysToPathsErrors(source.items ?? [], path.child("items")),
  ];
}

function keysToPathsErrors(items: readonly KeyToPath[], path: FieldPath): FieldError[] {
  return items.flatMap((item, i) => validateKeyToPath(item, path.index(i)));
}

/** One key of a ConfigMap or Secret, and the file that shows it. */
export function validateKeyToPath(item: KeyToPath, path: FieldPath): FieldError[] {
  return [
    ...(item.key ? [] : [required(path.child("key"), "")]),
    ...(item.path ? [] : [required(path.child("path"), "")]),
    ...localNonReservedPathErrors(item.path ?? "", path.child("path")),
    ...fileModeErrors(item.mode, path.child("mode")),
  ];
}

/** Fields of the pod as files. Upstream reports the files without their index. */
export function validateDownwardApi(source: DownwardAPIVolumeSource, path: FieldPath): FieldError[] {
  return [
    ...fileModeErrors(source.defaultMode, path.child("defaultMode")),
    ...(source.items ?? []).flatMap((file) => validateDownwardApiFile(file, path)),
  ];
}

/** One field of the pod as a file. */
export function validateDownwardApiFile(file: DownwardAPIVolumeFile, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (!file.path) errors.push(required(path.child("path"), ""));
  errors.push(...localNonReservedPathErrors(file.path ?? "", path.child("path")));
  if (file.fieldRef) {
    errors.push(...validateObjectFieldSelector(file.fieldRef, VOLUME_FIELDS, path.child("fieldRef")));
    if (file.resourceFieldRef) {
      errors.push(invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"));
    }
  } else if (file.resourceFieldRef) {
    errors.push(...validateResourceFieldSelector(file.resourceFieldRef, true, path.child("resourceFieldRef")));
  } else {
    errors.push(required(path, "one of fieldRef and resourceFieldRef is required"));
  }
  return [...errors, ...fileModeErrors(file.mode, path.child("mode"))];
}

/** An OCI image or artifact (KEP-4639). */
export function validateImage(source: ImageVolumeSource, path: FieldPath, options: PodValidationOptions): FieldError[] {
  return [
    ...(options.resourceIsPod && !source.reference ? [required(path.child("reference"), "")] : []),
    ...validatePullPolicy(source.pullPolicy ?? "", path.child("pullPolicy")),
  ];
}
