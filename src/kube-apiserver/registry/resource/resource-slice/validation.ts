import type { Device, DeviceAttribute, ResourceSlice, ResourceSliceSpec } from "#api/generated/resource/v1.ts";
import {
  duplicate,
  type FieldError,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";
import { toInternal } from "../../core/pod/internal-form.ts";
import { dnsLabelErrors, dnsSubdomainErrors, invalidEach } from "../../core/pod/validation/field-checks.ts";
import { validateNodeSelector } from "../../core/pod/validation/node-selector.ts";
import { attributeNameErrors, driverNameErrors } from "../device-config-validation.ts";

const DEVICES_MAX = 128;
const POOL_NAME_BYTES_MAX = 253;
const VALUE_BYTES_MAX = 64;
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/;
const NODE_FIELDS = ["nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection"] as const;
const TAINT_EFFECTS = ["NoExecute", "NoSchedule", "None"];
const DEVICE_NODE_FIELDS = ["nodeName", "nodeSelector", "allNodes"] as const;
const ONE_NODE_FIELD = `exactly one of ${NODE_FIELDS.map((field) => `\`${field}\``).join(", ")} is required`;
const path = FieldPath.of("spec");

/** Upstream's `ValidateResourceSlice` without the metadata rules. */
export function validateResourceSlice({ spec }: ResourceSlice): FieldError[] {
  return validateSpec(spec, []);
}

/** What cannot change is complained of between what is wrong with the pool and with the nodes. */
function validateSpec(spec: ResourceSliceSpec | undefined, changes: readonly FieldError[]): FieldError[] {
  return [
    ...driverNameErrors(spec?.driver, path.child("driver")),
    ...validatePool(spec?.pool, path.child("pool")),
    ...changes,
    ...validateNodes(spec ?? ({} as ResourceSliceSpec)),
    ...exclusiveErrors(spec),
    ...validateDevices(spec?.devices ?? [], spec?.perDeviceNodeSelection === true),
    ...validateCounterSets(spec?.sharedCounters ?? []),
  ];
}

/** Whose devices a slice lists cannot change. */
export function validateResourceSliceUpdate(slice: ResourceSlice, old: ResourceSlice): FieldError[] {
  const { driver = "", pool, nodeName } = slice.spec ?? {};
  return validateSpec(slice.spec, [
    ...validateImmutableField(pool?.name ?? "", old.spec?.pool?.name, path.child("pool", "name")),
    ...validateImmutableField(driver, old.spec?.driver, path.child("driver")),
    ...validateImmutableField(nodeName, old.spec?.nodeName, path.child("nodeName")),
  ]);
}

function validatePool(pool: ResourceSliceSpec["pool"] | undefined, at: FieldPath): FieldError[] {
  const { name = "", resourceSliceCount: count = 0, generation = 0 } = pool ?? {};
  const errors: FieldError[] = [];
  if (name === "") errors.push(required(at.child("name"), ""));
  else {
    if (byteLength(name) > POOL_NAME_BYTES_MAX) errors.push(tooLong(at.child("name"), POOL_NAME_BYTES_MAX));
    errors.push(...name.split("/").flatMap((part) => invalidEach(at.child("name"), part, isDns1123Subdomain(part))));
  }
  if (count <= 0) errors.push(invalid(at.child("resourceSliceCount"), count, "must be greater than zero"));
  if (generation < 0) errors.push(invalid(at.child("generation"), generation, "must be greater than or equal to zero"));
  return errors;
}

function validateNodes(spec: ResourceSliceSpec): FieldError[] {
  const errors = placeErrors(spec, path);
  const set = NODE_FIELDS.filter((field) => spec[field]);
  if (set.length === 0) errors.push(required(path, ONE_NODE_FIELD));
  else if (set.length > 1) {
    errors.push(invalid(path, shownFields(set), `${ONE_NODE_FIELD}, but multiple fields are set`));
  }
  return errors;
}

function validateDevices(devices: readonly Device[], perDevice: boolean): FieldError[] {
  const at = path.child("devices");
  const errors = devices.length > DEVICES_MAX ? [tooMany(at, devices.length, DEVICES_MAX)] : [];
  const seen = new Set<string>();
  for (const [i, device] of devices.slice(0, DEVICES_MAX).entries()) {
    const { name = "", attributes = {} } = device;
    errors.push(...dnsLabelErrors(name, at.index(i).child("name")));
    for (const key of Object.keys(attributes).sort()) {
      const ofKey = at.index(i).child("attributes");
      errors.push(...attributeNameErrors(key, ofKey.key(key)), ...validateAttribute(attributes[key] ?? {}, ofKey.key(key)));
    }
    errors.push(...taintAndCounterErrors(device, at.index(i)));
    errors.push(...deviceNodeErrors(device, perDevice, at.index(i)));
    if (seen.has(name)) errors.push(duplicate(at.index(i), name));
    seen.add(name);
  }
  return errors;
}

/** Slices list devices, or the counters that devices of other slices share (KEP-4815). */
function exclusiveErrors(spec: ResourceSliceSpec | undefined): FieldError[] {
  if (!spec?.devices?.length || !spec.sharedCounters?.length) return [];
  return [invalid(path, "", "only one of `sharedCounters` or `devices` is allowed")];
}

function validateCounterSets(sets: NonNullable<ResourceSliceSpec["sharedCounters"]>): FieldError[] {
  const at = path.child("sharedCounters");
  const seen = new Set<string>();
  return sets.flatMap(({ name = "", counters }, i) => {
    const errors = [...dnsLabelErrors(name, at.index(i).child("name")), ...counterErrors(counters, at.index(i))];
    if (seen.has(name)) errors.push(duplicate(at.index(i), name));
    seen.add(name);
    return errors;
  });
}

function counterErrors(counters: Readonly<Record<string, unknown>> | undefined, at: FieldPath): FieldError[] {
  const names = Object.keys(counters ?? {}).sort();
  if (names.length === 0) return [required(at.child("counters"), "")];
  return names.flatMap((name) => dnsLabelErrors(name, at.child("counters")));
}

function taintAndCounterErrors({ taints, consumesCounters }: Device, at: FieldPath): FieldError[] {
  const ofTaints = (taints ?? []).flatMap(({ effect = "" }, i) =>
    TAINT_EFFECTS.includes(effect) ? [] : [notSupported(at.child("taints").index(i).child("effect"), effect, TAINT_EFFECTS)],
  );
  const ofCounters = (consumesCounters ?? []).flatMap(({ counterSet = "", counters }, i) => {
    const own = at.child("consumesCounters").index(i);
    return [...dnsLabelErrors(counterSet, own.child("counterSet")), ...counterErrors(counters, own)];
  });
  return [...ofTaints, ...ofCounters];
}

/** A device says where it is only where its slice leaves that to it. */
function deviceNodeErrors(device: Device, perDevice: boolean, at: FieldPath): FieldError[] {
  const set = DEVICE_NODE_FIELDS.filter((field) => device[field]);
  const errors = placeErrors(device, at);
  if (!perDevice) {
    const detail =
      "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
    return set.length === 0 ? errors : [...errors, invalid(at, null, detail)];
  }
  const rule =
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  if (set.length === 0) return [...errors, required(at, rule)];
  return set.length === 1 ? errors : [...errors, invalid(at, shownFields(set), rule)];
}

function shownFields(names: readonly string[]): string {
  return `{${names.map((name) => `\`${name}\``).join(", ")}}`;
}

function placeErrors({ nodeName, nodeSelector }: Pick<Device, "nodeName" | "nodeSelector">, at: FieldPath): FieldError[] {
  const errors = nodeName ? dnsSubdomainErrors(nodeName, at.child("nodeName")) : [];
  if (!nodeSelector) return errors;
  const selectorPath = at.child("nodeSelector");
  errors.push(...validateNodeSelector(nodeSelector, false, selectorPath));
  if ((nodeSelector.nodeSelectorTerms ?? []).length === 1) return errors;
  const printed = toInternal("NodeSelector", nodeSelector).NodeSelectorTerms;
  return [...errors, invalid(selectorPath.child("nodeSelectorTerms"), printed, "must have exactly one node selector term")];
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
