import type { Volume } from "#api/generated/core/v1.ts";
import type { ObjectMeta } from "#apimachinery/meta/api-object.ts";
import { parseQuantity, quantityCompare } from "#apimachinery/resource/quantity.ts";
import { duplicate, type FieldError, forbidden, invalid, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { validateClaimTemplate } from "./claim-template.ts";
import { dnsLabelErrors, invalidEach } from "./field-checks.ts";
import type { PodValidationOptions } from "./options.ts";
import * as files from "./volumes-files.ts";
import * as legacy from "./volumes-legacy.ts";
import { validateProjected } from "./volumes-projected.ts";

/** What was valid, by name, for the mounts that refer to it; and what was not. */
export interface CheckedVolumes {
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly errors: readonly FieldError[];
}

/** `podName` is empty for templates: only a pod's own name tells the names of the claims made for it. */
export function validateVolumes(
  volumes: readonly Volume[],
  podMeta: ObjectMeta | undefined,
  path: FieldPath,
  options: PodValidationOptions,
): CheckedVolumes {
  const podName = podMeta?.name ?? "";
  const errors: FieldError[] = [];
  const valid = new Map<string, Volume>();
  const created = new Set<string>();
  if (podName !== "") {
    for (const volume of volumes) if (volume.ephemeral) created.add(`${podName}-${volume.name ?? ""}`);
  }
  volumes.forEach((volume, i) => {
    const at = path.index(i);
    const name = volume.name ?? "";
    const own = sourceErrors(volume, name, podName, at, options);
    if (name === "") own.push(required(at.child("name"), ""));
    else own.push(...dnsLabelErrors(name, at.child("name")));
    if (valid.has(name)) own.push(duplicate(at.child("name"), name));
    if (own.length === 0) valid.set(name, volume);
    errors.push(...own);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && created.has(claim)) {
      const detail = "must not reference a PVC that gets created for an ephemeral volume";
      errors.push(invalid(at.child("persistentVolumeClaim", "claimName"), claim, detail));
    }
  });
  return { volumes: valid, errors };
}

/** A source of a volume, in the order in which upstream looks for them. */
interface SourceRule {
  readonly field: keyof Volume;
  /** The name in the complaint about a second source, where it is spelled differently. */
  readonly alias?: string;
  readonly check: (volume: Volume, path: FieldPath, options: PodValidationOptions) => FieldError[];
}

function rule<K extends keyof Volume>(
  field: K,
  check: (source: NonNullable<Volume[K]>, path: FieldPath, options: PodValidationOptions) => FieldError[],
  more: { readonly at?: string; readonly alias?: string } = {},
): SourceRule {
  return {
    field,
    ...(more.alias !== undefined && { alias: more.alias }),
    check: (volume, path, options) => {
      const source = volume[field];
      return source === undefined || source === null ? [] : check(source, path.child(more.at ?? field), options);
    },
  };
}

const SOURCES: readonly SourceRule[] = [
  rule("hostPath", files.validateHostPath),
  rule("gitRepo", files.validateGitRepo),
  rule("gcePersistentDisk", legacy.validateGcePersistentDisk, { at: "persistentDisk" }),
  rule("awsElasticBlockStore", legacy.validateAwsElasticBlockStore),
  rule("secret", files.validateSecret),
  rule("nfs", legacy.validateNfs),
  rule("iscsi", legacy.validateIscsi),
  rule("glusterfs", legacy.validateGlusterfs),
  rule("flocker", legacy.validateFlocker),
  rule("persistentVolumeClaim", (source, at) => (source.claimName ? [] : [required(at.child("claimName"), "")])),
  rule("rbd", legacy.validateRbd),
  rule("cinder", legacy.validateCinder),
  rule("cephfs", legacy.validateCephfs, { alias: "cephFS" }),
  rule("quobyte", legacy.validateQuobyte),
  rule("downwardAPI", files.validateDownwardApi, { alias: "downwarAPI" }),
  rule("fc", legacy.validateFc),
  rule("flexVolume", legacy.validateFlexVolume),
  rule("configMap", files.validateConfigMap),
  rule("azureFile", legacy.validateAzureFile),
  rule("vsphereVolume", (source, at) => (source.volumePath ? [] : [required(at.child("volumePath"), "")])),
  rule("photonPersistentDisk", (source, at) => (source.pdID ? [] : [required(at.child("pdID"), "")])),
  rule("portworxVolume", (source, at) => (source.volumeID ? [] : [required(at.child("volumeID"), "")])),
  rule("azureDisk", legacy.validateAzureDisk),
  rule("storageos", legacy.validateStorageOs),
  rule("projected", validateProjected),
  rule("scaleIO", legacy.validateScaleIo),
  rule("csi", legacy.validateCsi),
  rule("ephemeral", (source, at) => {
    if (!source.volumeClaimTemplate) return [required(at.child("volumeClaimTemplate"), "")];
    return validateClaimTemplate(source.volumeClaimTemplate, at.child("volumeClaimTemplate"));
  }),
  rule("image", files.validateImage),
];

function sourceErrors(
  volume: Volume,
  name: string,
  podName: string,
  path: FieldPath,
  options: PodValidationOptions,
): FieldError[] {
  const errors: FieldError[] = [];
  let count = 0;
  if (volume.emptyDir) {
    count++;
    const size = volume.emptyDir.sizeLimit;
    if (size && quantityCompare(parseQuantity(size), parseQuantity("0")) < 0) {
      errors.push(forbidden(path.child("emptyDir", "sizeLimit"), "SizeLimit field must be a valid resource quantity"));
    }
  }
  for (const source of SOURCES) {
    const value = volume[source.field];
    if (value === undefined || value === null) continue;
    if (count > 0) {
      errors.push(forbidden(path.child(source.alias ?? source.field), "may not specify more than 1 volume type"));
    } else {
      count++;
      errors.push(...source.check(volume, path, options));
      if (source.field === "ephemeral") errors.push(...claimNameErrors(name, podName, path));
    }
    if (source.field === "iscsi") errors.push(...legacy.iscsiNameErrors(volume, name, path));
  }
  if (count === 0) errors.push(required(path, "must specify a volume type"));
  return errors;
}

/** The claim that will be made for an ephemeral volume must have a valid name. */
function claimNameErrors(name: string, podName: string, path: FieldPath): FieldError[] {
  if (name === "" || podName === "") return [];
  const claim = `${podName}-${name}`;
  const messages = nameIsDnsSubdomain(claim, false).map((message) => `PVC name ${JSON.stringify(claim)}: ${message}`);
  return invalidEach(path.child("name"), name, messages);
}
