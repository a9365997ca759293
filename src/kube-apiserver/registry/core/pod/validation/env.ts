import type { EnvFromSource, EnvVar, FileKeySelector, PodSpec } from "#api/generated/core/v1.ts";
import { type FieldError, invalid, notFound, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isConfigMapKey, isRelaxedEnvVarName, nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { visitContainers } from "../visit-containers.ts";
import { ENV_FIELDS, validateObjectFieldSelector, validateResourceFieldSelector } from "./downward-api.ts";
import { dnsLabelErrors, invalidEach } from "./field-checks.ts";
import { noBackstepsErrors } from "./paths.ts";

/** The environment variables of one container. */
export function validateEnv(variables: readonly EnvVar[], path: FieldPath): FieldError[] {
  return variables.flatMap((variable, i) => {
    const at = path.index(i);
    const name = variable.name ?? "";
    const errors =
      name === "" ? [required(at.child("name"), "")] : invalidEach(at.child("name"), name, isRelaxedEnvVarName(name));
    return [...errors, ...valueFromErrors(variable, at.child("valueFrom"))];
  });
}

function valueFromErrors(variable: EnvVar, path: FieldPath): FieldError[] {
  const from = variable.valueFrom;
  if (!from) return [];
  const errors: FieldError[] = [];
  let sources = 0;
  if (from.fieldRef) {
    sources++;
    errors.push(...validateObjectFieldSelector(from.fieldRef, ENV_FIELDS, path.child("fieldRef")));
  }
  if (from.resourceFieldRef) {
    sources++;
    errors.push(...validateResourceFieldSelector(from.resourceFieldRef, false, path.child("resourceFieldRef")));
  }
  if (from.configMapKeyRef) {
    sources++;
    errors.push(...keySelectorErrors(from.configMapKeyRef, path.child("configMapKeyRef")));
  }
  if (from.secretKeyRef) {
    sources++;
    errors.push(...keySelectorErrors(from.secretKeyRef, path.child("secretKeyRef")));
  }
  if (from.fileKeyRef) {
    sources++;
    errors.push(...fileKeyErrors(from.fileKeyRef, path.child("fileKeyRef")));
  }
  if (sources === 0) {
    const detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
    errors.push(invalid(path, "", detail));
  } else if (variable.value) {
    errors.push(invalid(path, "", "may not be specified when `value` is not empty"));
  } else if (sources > 1) {
    errors.push(invalid(path, "", "may not have more than one field specified at a time"));
  }
  return errors;
}

function keySelectorErrors(selector: { readonly name?: string; readonly key?: string }, path: FieldPath): FieldError[] {
  const name = selector.name ?? "";
  const key = selector.key ?? "";
  return [
    ...invalidEach(path.child("name"), name, nameIsDnsSubdomain(name, false)),
    ...(key === "" ? [required(path.child("key"), "")] : invalidEach(path.child("key"), key, isConfigMapKey(key))),
  ];
}

/** A variable out of a file in an emptyDir (KEP-3721). */
function fileKeyErrors(selector: FileKeySelector, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const key = selector.key ?? "";
  if (key === "") errors.push(required(path.child("key"), ""));
  else errors.push(...invalidEach(path.child("key"), key, isRelaxedEnvVarName(key)));
  const volumeName = selector.volumeName ?? "";
  if (volumeName === "") errors.push(required(path.child("volumeName"), ""));
  else errors.push(...dnsLabelErrors(volumeName, path.child("volumeName")));
  const file = selector.path ?? "";
  if (file === "") errors.push(required(path.child("path"), ""));
  else errors.push(...noBackstepsErrors(file, path.child("path")));
  return errors;
}

/** Volumes that variables are read from must be the pod's own emptyDirs. Upstream looks for them after all else. */
export function validateEnvFileVolumes(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]));
  visitContainers(spec, path, (container, containerPath) => {
    (container.env ?? []).forEach((variable, i) => {
      if (!variable.valueFrom?.fileKeyRef) return;
      const name = variable.valueFrom.fileKeyRef.volumeName ?? "";
      const at = containerPath.child("env").index(i).child("valueFrom", "fileKeyRef", "volumeName");
      const volume = volumes.get(name);
      if (!volume) errors.push(notFound(at, name));
      else if (!volume.emptyDir) errors.push(invalid(at, name, "referenced volume must be of type emptyDir"));
    });
  });
  return errors;
}

/** Whole ConfigMaps and Secrets as environment. */
export function validateEnvFrom(sources: readonly EnvFromSource[], path: FieldPath): FieldError[] {
  return sources.flatMap((source, i) => {
    const at = path.index(i);
    const errors: FieldError[] = [];
    const prefix = source.prefix ?? "";
    if (prefix !== "") errors.push(...invalidEach(at.child("prefix"), prefix, isRelaxedEnvVarName(prefix)));
    let count = 0;
    if (source.configMapRef) {
      count++;
      errors.push(...sourceNameErrors(source.configMapRef.name ?? "", at.child("configMapRef", "name")));
    }
    if (source.secretRef) {
      count++;
      errors.push(...sourceNameErrors(source.secretRef.name ?? "", at.child("secretRef", "name")));
    }
    if (count === 0) errors.push(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
    else if (count > 1) errors.push(invalid(path, "", "may not have more than one field specified at a time"));
    return errors;
  });
}

function sourceNameErrors(name: string, path: FieldPath): FieldError[] {
  return name === "" ? [required(path, "")] : invalidEach(path, name, nameIsDnsSubdomain(name, true));
}
