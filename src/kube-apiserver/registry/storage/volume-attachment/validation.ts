import type { VolumeAttachment, VolumeError } from "#api/generated/storage/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, forbidden, invalid, required, tooLong } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, inclusiveRangeMessage } from "#apimachinery/validation/names.ts";
import { IMMUTABLE_MESSAGE } from "#apimachinery/validation/object-meta.ts";
import { dnsSubdomainErrors } from "../../core/pod/validation/field-checks.ts";
import { csiDriverNameErrors } from "../../core/pod/validation/volumes-legacy.ts";
import { validateInlineVolume } from "./inline-volume.ts";

const ERROR_BYTES_MAX = 1024;
const METADATA_BYTES_MAX: number = 256 * 1024;
const INT32_MAX: number = 2 ** 31 - 1;
const ONE_SOURCE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
const path = FieldPath.of("spec");

/** What is checked of a new attachment: upstream's `ValidateVolumeAttachment` and `ValidateVolumeAttachmentV1`. */
export function validateVolumeAttachment(attachment: VolumeAttachment): FieldError[] {
  const { attacher = "", source } = attachment.spec ?? {};
  const errors = validateKept(attachment);
  if (attacher !== "") errors.push(...csiDriverNameErrors(attacher, path.child("attacher")));
  const name = source?.persistentVolumeName;
  if (name !== undefined) errors.push(...dnsSubdomainErrors(name, path.child("source", "persistentVolumeName")));
  return errors;
}

/** An attachment never changes but in its status. */
export function validateVolumeAttachmentUpdate(attachment: VolumeAttachment, old: VolumeAttachment): FieldError[] {
  const errors = validateKept(attachment);
  if (!semanticEqual(attachment.spec, old.spec)) errors.push(invalid(path, inGoOrder(attachment), IMMUTABLE_MESSAGE));
  return errors;
}

/** Upstream's `ValidateVolumeAttachment` without the metadata rules. */
function validateKept(attachment: VolumeAttachment): FieldError[] {
  const { attacher = "", source, nodeName = "" } = attachment.spec ?? {};
  const errors = attacher === "" ? [required(path.child("attacher"), "")] : [];
  const sourcePath = path.child("source");
  const { persistentVolumeName, inlineVolumeSpec } = source ?? {};
  if (persistentVolumeName === undefined && !inlineVolumeSpec) errors.push(required(sourcePath, ONE_SOURCE));
  else if (persistentVolumeName !== undefined && inlineVolumeSpec) errors.push(forbidden(sourcePath, ONE_SOURCE));
  else if (persistentVolumeName === "") {
    errors.push(required(sourcePath.child("persistentVolumeName"), "must specify non empty persistentVolumeName"));
  } else if (inlineVolumeSpec) errors.push(...validateInlineVolume(inlineVolumeSpec, sourcePath.child("inlineVolumeSpec")));
  return [...errors, ...dnsSubdomainErrors(nodeName, path.child("nodeName")), ...validateVolumeAttachmentStatus(attachment)];
}

/** Upstream's `validateVolumeAttachmentStatus`. */
export function validateVolumeAttachmentStatus({ status }: VolumeAttachment): FieldError[] {
  if (!status) return [];
  const at = FieldPath.of("status");
  const metadata = Object.entries(status.attachmentMetadata ?? {});
  const bytes = metadata.reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);
  return [
    ...(bytes > METADATA_BYTES_MAX ? [tooLong(at.child("attachmentMetadata"), METADATA_BYTES_MAX)] : []),
    ...errorErrors(status.attachError, at.child("attachError")),
    ...errorErrors(status.detachError, at.child("detachError")),
  ];
}

function errorErrors(error: VolumeError | undefined, at: FieldPath): FieldError[] {
  const { message = "", errorCode: code = 0 } = error ?? {};
  // Upstream names the other limit.
  const errors = byteLength(message) > ERROR_BYTES_MAX ? [tooLong(at.child("message"), METADATA_BYTES_MAX)] : [];
  return code >= 0 ? errors : [...errors, invalid(at.child("errorCode"), code, inclusiveRangeMessage(0, INT32_MAX))];
}

function inGoOrder({ spec }: VolumeAttachment): object {
  const { persistentVolumeName = null, inlineVolumeSpec = null } = spec?.source ?? {};
  return {
    Attacher: spec?.attacher ?? "",
    Source: { PersistentVolumeName: persistentVolumeName, InlineVolumeSpec: inlineVolumeSpec },
    NodeName: spec?.nodeName ?? "",
  };
}
