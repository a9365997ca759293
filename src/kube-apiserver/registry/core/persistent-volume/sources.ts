import type { PersistentVolumeSource, PersistentVolumeSpec, Volume } from "#api/generated/core/v1.ts";
import { type FieldError, forbidden, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { noBackstepsErrors } from "../pod/validation/paths.ts";
import { validateHostPath } from "../pod/validation/volumes-files.ts";
import * as legacy from "../pod/validation/volumes-legacy.ts";
import { validateCsiSource } from "./csi-source.ts";

type SourceName = keyof PersistentVolumeSource;

interface SourceRule {
  readonly field: SourceName;
  /** The name in messages, where it is another. */
  readonly alias?: string;
  readonly validate: (spec: PersistentVolumeSpec, path: FieldPath) => FieldError[];
}

function rule<K extends SourceName>(
  field: K,
  validate: (source: NonNullable<PersistentVolumeSource[K]>, path: FieldPath) => FieldError[],
  alias?: string,
): SourceRule {
  return {
    field,
    ...(alias === undefined ? {} : { alias }),
    validate: (spec, path) => {
      const source = (spec as PersistentVolumeSource)[field];
      return source === undefined || source === null ? [] : validate(source as NonNullable<PersistentVolumeSource[K]>, path);
    },
  };
}

function needs<T extends object>(...fields: readonly (keyof T & string)[]): (source: T, path: FieldPath) => FieldError[] {
  return (source, path) => fields.flatMap((field) => (source[field] ? [] : [required(path.child(field), "")]));
}

/** All sources, in the order in which upstream looks at them. */
const SOURCES: readonly SourceRule[] = [
  rule("hostPath", validateHostPath),
  rule("gcePersistentDisk", legacy.validateGcePersistentDisk, "persistentDisk"),
  rule("awsElasticBlockStore", legacy.validateAwsElasticBlockStore),
  rule("glusterfs", (source, path) => [
    ...legacy.validateGlusterfs(source, path),
    ...(source.endpointsNamespace === ""
      ? [required(path.child("endpointsNamespace"), "if the endpointnamespace is set, it must be a valid namespace name")]
      : []),
  ]),
  rule("flocker", legacy.validateFlocker),
  rule("nfs", legacy.validateNfs),
  rule("rbd", legacy.validateRbd),
  rule("quobyte", legacy.validateQuobyte),
  rule("cephfs", legacy.validateCephfs, "cephFS"),
  rule("iscsi", (source, path) => legacy.validateIscsi(withoutSecret(source), path)),
  rule("cinder", legacy.validateCinder),
  rule("fc", legacy.validateFc),
  rule("flexVolume", (source, path) => legacy.validateFlexVolume(withoutSecret(source), path)),
  rule("azureFile", (source, path) => [
    ...needs<typeof source>("secretName", "shareName")(source, path),
    ...(source.secretNamespace === "" ? [required(path.child("secretNamespace"), "")] : []),
  ]),
  rule("vsphereVolume", needs("volumePath")),
  rule("photonPersistentDisk", needs("pdID")),
  rule("portworxVolume", needs("volumeID")),
  rule("azureDisk", legacy.validateAzureDisk),
  rule("scaleIO", (source, path) => needs<typeof source>("gateway", "system", "volumeName")(source, path)),
  {
    field: "local",
    validate: (spec, path) => {
      const { local } = spec;
      if (!local) return [];
      const at = path.child("path");
      return local.path ? noBackstepsErrors(local.path, at) : [required(at, "")];
    },
  },
  rule("storageos", (source, path) => legacy.validateStorageOs(withoutSecret(source), path)),
  rule("csi", validateCsiSource),
];

/** References to secrets have namespaces here, which the rules for pods do not know. */
function withoutSecret<T extends { readonly secretRef?: unknown }>(source: T): Omit<T, "secretRef"> {
  const { secretRef: _, ...rest } = source;
  return rest;
}

/** One source, and that a good one. */
export function validateSource(spec: PersistentVolumeSpec, hasNodeAffinity: boolean, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  let count = 0;
  for (const { field, alias, validate } of SOURCES) {
    const source = (spec as PersistentVolumeSource)[field];
    if (source === undefined || source === null) continue;
    const at = path.child(alias ?? field);
    // Upstream forgets to refuse a flexVolume beside others.
    if (count > 0 && field !== "flexVolume") {
      errors.push(forbidden(path.child(alias === "cephFS" ? alias : field), "may not specify more than 1 volume type"));
      continue;
    }
    count += 1;
    errors.push(...validate(spec, at));
    if (field === "iscsi") errors.push(...iscsiNames(spec, at));
    if (field === "local" && !hasNodeAffinity)
      errors.push(required(path.child("nodeAffinity"), "Local volume requires node affinity"));
  }
  if (count === 0) errors.push(required(path, "must specify a volume type"));
  return errors;
}

function iscsiNames(spec: PersistentVolumeSpec, path: FieldPath): FieldError[] {
  if (!spec.iscsi) return [];
  const volume: Volume = { name: "", iscsi: withoutSecret(spec.iscsi) };
  return legacy.iscsiNameErrors(volume, "", path);
}

/** The sources alone, out of a spec that holds them inline. */
export function sourceOf(spec: PersistentVolumeSpec): PersistentVolumeSource {
  const entries = SOURCES.map(({ field }) => [field, (spec as PersistentVolumeSource)[field]]).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(entries);
}
