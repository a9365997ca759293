import type {
  GlusterfsPersistentVolumeSource,
  ISCSIPersistentVolumeSource,
  PersistentVolumeSource,
  PersistentVolumeSpec,
  SecretReference,
} from "#api/generated/core/v1.ts";
import { type FieldError, forbidden, invalid, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { nameIsDnsLabel } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../pod/validation/field-checks.ts";
import { noBackstepsErrors } from "../pod/validation/paths.ts";
import { validateHostPath } from "../pod/validation/volumes-files.ts";
import * as legacy from "../pod/validation/volumes-legacy.ts";
import { validateCsiSource } from "./csi-source.ts";

type SourceName = keyof PersistentVolumeSource;

interface SourceRule {
  readonly field: SourceName;
  /** The path of complaints about the source, where it is not the field. */
  readonly at?: string;
  /** The name in the complaint about a second source, where it is spelled differently. */
  readonly alias?: string;
  readonly validate: (spec: PersistentVolumeSpec, path: FieldPath, volumeName: string) => FieldError[];
}

function rule<K extends SourceName>(
  field: K,
  validate: (source: NonNullable<PersistentVolumeSource[K]>, path: FieldPath) => FieldError[],
  more: { readonly at?: string; readonly alias?: string } = {},
): SourceRule {
  return {
    field,
    ...more,
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
  rule("gcePersistentDisk", legacy.validateGcePersistentDisk, { at: "persistentDisk" }),
  rule("awsElasticBlockStore", legacy.validateAwsElasticBlockStore),
  rule("glusterfs", validateGlusterfs),
  rule("flocker", legacy.validateFlocker),
  rule("nfs", legacy.validateNfs),
  rule("rbd", legacy.validateRbd),
  rule("quobyte", legacy.validateQuobyte),
  rule("cephfs", legacy.validateCephfs, { alias: "cephFS" }),
  {
    field: "iscsi",
    validate: ({ iscsi }, path, volumeName) => (iscsi ? validateIscsi(iscsi, volumeName, path) : []),
  },
  rule("cinder", (source, path) => [
    ...needs<typeof source>("volumeID")(source, path),
    ...secretErrors(source.secretRef, path.child("secretRef")),
  ]),
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
  rule("storageos", (source, path) => [
    ...legacy.validateStorageOs(withoutSecret(source), path),
    ...secretErrors(source.secretRef, path.child("secretRef")),
  ]),
  rule("csi", validateCsiSource),
];

function secretErrors(reference: SecretReference | undefined, path: FieldPath): FieldError[] {
  return reference ? needs<SecretReference>("name", "namespace")(reference, path) : [];
}

function validateGlusterfs(source: GlusterfsPersistentVolumeSource, path: FieldPath): FieldError[] {
  const errors = legacy.validateGlusterfs(source, path);
  const namespace = source.endpointsNamespace;
  const at = path.child("endpointsNamespace");
  if (namespace === undefined || namespace === null) return errors;
  if (namespace !== "") return [...errors, ...invalidEach(at, namespace, nameIsDnsLabel(namespace, false))];
  return [...errors, invalid(at, namespace, "if the endpointnamespace is set, it must be a valid namespace name")];
}

/** As for pods, but that the name and the portal are held against another field and formats are told in fewer words. */
function validateIscsi(source: ISCSIPersistentVolumeSource, volumeName: string, path: FieldPath): FieldError[] {
  const errors = needs<typeof source>("targetPortal")(source, path);
  const { targetPortal = "", initiatorName, iqn } = source;
  if (legacy.isIscsiNameTooLong(volumeName, source)) {
    errors.push(invalid(path.child("targetportal"), targetPortal, legacy.ISCSI_NAME_TOO_LONG));
  }
  const formatErrors = (name: string, at: FieldPath): FieldError[] =>
    legacy.iscsiFormatErrors(name, at).map((error) => ({
      ...error,
      message: error.message.replace(/ starting with iqn, eui, or naa$/, ""),
    }));
  errors.push(...(iqn ? formatErrors(iqn, path.child("iqn")) : [required(path.child("iqn"), "")]));
  errors.push(...legacy.iscsiAccessErrors(source, path));
  if (source.secretRef && !source.secretRef.name) errors.push(required(path.child("secretRef", "name"), ""));
  if (initiatorName !== undefined && initiatorName !== null) {
    errors.push(...formatErrors(initiatorName, path.child("initiatorname")));
  }
  return errors;
}

/** References to secrets have namespaces here, which the rules for pods do not know. */
function withoutSecret<T extends { readonly secretRef?: unknown }>(source: T): Omit<T, "secretRef"> {
  const { secretRef: _, ...rest } = source;
  return rest;
}

/** One source, and that a good one. */
export function validateSource(spec: PersistentVolumeSpec, volumeName: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  let count = 0;
  for (const { field, at, alias, validate } of SOURCES) {
    const source = (spec as PersistentVolumeSource)[field];
    if (source === undefined || source === null) continue;
    // Upstream forgets to refuse a flexVolume beside others.
    if (count > 0 && field !== "flexVolume") {
      errors.push(forbidden(path.child(alias ?? field), "may not specify more than 1 volume type"));
      continue;
    }
    count += 1;
    errors.push(...validate(spec, path.child(at ?? field), volumeName));
    if (field === "local" && !spec.nodeAffinity)
      errors.push(required(path.child("nodeAffinity"), "Local volume requires node affinity"));
  }
  if (count === 0) errors.push(required(path, "must specify a volume type"));
  return errors;
}

/** The sources alone, out of a spec that holds them inline. */
export function sourceOf(spec: PersistentVolumeSpec): PersistentVolumeSource {
  const entries = SOURCES.map(({ field }) => [field, (spec as PersistentVolumeSource)[field]]).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(entries);
}
