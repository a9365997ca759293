import type { Device, DeviceAttribute, DeviceCounterConsumption } from "#api/generated/resource/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, forbidden, invalid, required, tooLong } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength } from "#apimachinery/validation/names.ts";
import { dnsLabelErrors, dnsSubdomainErrors } from "../../core/pod/validation/field-checks.ts";
import { validateNodeSelector } from "../../core/pod/validation/node-selector.ts";
import { bindingConditionErrors } from "../binding-conditions.ts";
import { mapErrors, setErrors, sliceErrors } from "../bounded-lists.ts";
import { attributeNameErrors } from "../device-config-validation.ts";
import { deviceTaintErrors } from "../taint-validation.ts";
import { requestPolicyErrors } from "./request-policy-validation.ts";

/** Attributes and capacities together. */
const PROPERTIES_MAX = 32;
/** Of attributes; upstream counts these once more. */
const ATTRIBUTES_MAX = 48;
const ANY_NUMBER: number = Number.POSITIVE_INFINITY;
/** A domain, a slash and an identifier. */
const SHOWN_KEY_MAX = 96;
const VALUE_BYTES_MAX = 64;
const TAINTS_MAX = 16;
const CONSUMPTIONS_MAX = 2;
const COUNTERS_MAX = 32;
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/;

/** Upstream's `validateDevice`. Taints that were there before are not looked at again. */
export function deviceErrors(device: Device, old: Device | undefined, perDevice: boolean, at: FieldPath): FieldError[] {
  const { name = "", attributes = {}, capacity, taints, consumesCounters, allowMultipleAllocations: shared = false } = device;
  const errors = dnsLabelErrors(name, at.child("name"));
  const count = Object.keys(attributes).length;
  const together = count + Object.keys(capacity ?? {}).length;
  if (together > PROPERTIES_MAX) {
    errors.push(invalid(at, together, `the total number of attributes and capacities must not exceed ${PROPERTIES_MAX}`));
  }
  if (count > ATTRIBUTES_MAX) {
    errors.push(invalid(at, count, `the total number of attribute values must not exceed ${ATTRIBUTES_MAX}`));
  }
  const ofAttributes = { key: attributeNameErrors, item: validateAttribute };
  errors.push(...mapErrors(attributes, ANY_NUMBER, at.child("attributes"), ofAttributes, SHOWN_KEY_MAX));
  const ofCapacity: Parameters<typeof mapErrors<NonNullable<typeof capacity>[string]>>[3] = {
    key: attributeNameErrors,
    item: ({ value, requestPolicy }, own) => {
      const policyPath = own.child("requestPolicy");
      if (requestPolicy === undefined) return [];
      if (!shared) return [forbidden(policyPath, "allowMultipleAllocations must be true")];
      return requestPolicyErrors(value, requestPolicy, policyPath);
    },
  };
  errors.push(...mapErrors(capacity, ANY_NUMBER, at.child("capacity"), ofCapacity, SHOWN_KEY_MAX));
  if (old === undefined || !semanticEqual(old.taints, taints)) {
    errors.push(...sliceErrors(taints, TAINTS_MAX, at.child("taints"), deviceTaintErrors));
  }
  const consumptions = at.child("consumesCounters");
  return [
    ...errors,
    ...setErrors(consumesCounters, CONSUMPTIONS_MAX, consumptions, consumptionErrors, ({ counterSet = "" }) => counterSet),
    ...placeErrors(device, perDevice, at),
    ...bindingConditionErrors(device, at),
  ];
}

function consumptionErrors({ counterSet = "", counters = {} }: DeviceCounterConsumption, at: FieldPath): FieldError[] {
  const setPath = at.child("counterSet");
  const errors = counterSet === "" ? [required(setPath, "")] : dnsLabelErrors(counterSet, setPath);
  if (Object.keys(counters).length === 0) return [...errors, required(at.child("counters"), "")];
  return [...errors, ...mapErrors(counters, COUNTERS_MAX, at.child("counters"), { key: dnsLabelErrors })];
}

/** A device says where it is only where its slice leaves that to it. */
function placeErrors({ nodeName, nodeSelector, allNodes }: Device, perDevice: boolean, at: FieldPath): FieldError[] {
  if (!perDevice) {
    if (nodeName === undefined && nodeSelector === undefined && allNodes === undefined) return [];
    const detail =
      "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
    return [invalid(at, null, detail)];
  }
  const errors: FieldError[] = [];
  const nodeNamePath = at.child("nodeName");
  if (nodeName === "") errors.push(invalid(nodeNamePath, "", "must not be empty"));
  else if (nodeName !== undefined) errors.push(...dnsSubdomainErrors(nodeName, nodeNamePath));
  if (nodeSelector !== undefined) errors.push(...validateNodeSelector(nodeSelector, false, at.child("nodeSelector")));
  if (allNodes === false) errors.push(invalid(at.child("allNodes"), false, "must be either unset or set to true"));
  const set = Object.entries({ nodeName, nodeSelector, allNodes }).flatMap(([field, value]) => (value ? [`\`${field}\``] : []));
  const rule =
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  if (set.length === 0) return [...errors, required(at, rule)];
  return set.length === 1 ? errors : [...errors, invalid(at, `{${set.join(", ")}}`, rule)];
}

function validateAttribute(attribute: DeviceAttribute, at: FieldPath): FieldError[] {
  const { int, bool, string: text, version } = attribute;
  const errors: FieldError[] = [];
  if (text !== undefined && byteLength(text) > VALUE_BYTES_MAX) errors.push(tooLong(at.child("string"), VALUE_BYTES_MAX));
  if (version !== undefined) {
    const versionPath = at.child("version");
    if (!SEMVER.test(version)) {
      errors.push(invalid(versionPath, version, "must be a string compatible with semver.org spec 2.0.0"));
    }
    if (byteLength(version) > VALUE_BYTES_MAX) errors.push(tooLong(versionPath, VALUE_BYTES_MAX));
  }
  const values = [int, bool, text, version].filter((value) => value !== undefined);
  if (values.length === 1) return errors;
  return [...errors, invalid(at, values.length === 0 ? "" : inGoForm(attribute), "exactly one value must be specified")];
}

function inGoForm({ int, bool, string: text, version }: DeviceAttribute): object {
  return {
    IntValue: int ?? null,
    BoolValue: bool ?? null,
    StringValue: text ?? null,
    VersionValue: version ?? null,
    IntValues: null,
    BoolValues: null,
    StringValues: null,
    VersionValues: null,
  };
}
