import type { Device, ResourceSlice, ResourceSliceSpec } from "#api/generated/resource/v1.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";
import { toInternal } from "../../core/pod/internal-form.ts";
import { dnsLabelErrors, dnsSubdomainErrors } from "../../core/pod/validation/field-checks.ts";
import { validateNodeSelector } from "../../core/pod/validation/node-selector.ts";
import { mapErrors, setErrors } from "../bounded-lists.ts";
import { driverNameErrors, poolNameErrors } from "../device-config-validation.ts";
import { deviceErrors } from "./device-validation.ts";

const DEVICES_MAX = 128;
/** Where devices have what costs more to look at. */
const DEVICES_MAX_ADVANCED = 64;
const COUNTER_SETS_MAX = 8;
const COUNTERS_MAX = 32;
const NODE_FIELDS = ["nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection"] as const;
const ONE_NODE_FIELD = `exactly one of ${NODE_FIELDS.map((field) => `\`${field}\``).join(", ")} is required`;
const path = FieldPath.of("spec");

/** Upstream's `ValidateResourceSlice` without the metadata rules. */
export function validateResourceSlice({ spec }: ResourceSlice): FieldError[] {
  return validateSpec(spec, undefined, []);
}

/** Whose devices a slice lists cannot change. */
export function validateResourceSliceUpdate(slice: ResourceSlice, old: ResourceSlice): FieldError[] {
  const { driver = "", pool, nodeName } = slice.spec ?? {};
  return validateSpec(slice.spec, old.spec, [
    ...validateImmutableField(pool?.name ?? "", old.spec?.pool?.name, path.child("pool", "name")),
    ...validateImmutableField(driver, old.spec?.driver, path.child("driver")),
    ...validateImmutableField(nodeName, old.spec?.nodeName, path.child("nodeName")),
  ]);
}

/** What cannot change is complained of between what is wrong with the pool and with the nodes. */
function validateSpec(
  spec: ResourceSliceSpec | undefined,
  old: ResourceSliceSpec | undefined,
  changes: readonly FieldError[],
): FieldError[] {
  const { devices, sharedCounters, perDeviceNodeSelection: perDevice = false } = spec ?? ({} as Partial<ResourceSliceSpec>);
  const errors = [
    ...driverNameErrors(spec?.driver, path.child("driver")),
    ...validatePool(spec?.pool, path.child("pool")),
    ...changes,
    ...validateNodes(spec ?? ({} as ResourceSliceSpec)),
  ];
  // Slices list devices, or the counters that devices of other slices share (KEP-4815).
  if (devices !== undefined && sharedCounters !== undefined) {
    errors.push(invalid(path, "", "only one of `sharedCounters` or `devices` is allowed"));
  }
  const check = (device: Device, at: FieldPath): FieldError[] => {
    const before = old?.devices?.find(({ name }) => name === device.name);
    return deviceErrors(device, before, perDevice, at);
  };
  const max = devices?.some(isAdvanced) === true ? DEVICES_MAX_ADVANCED : DEVICES_MAX;
  errors.push(...setErrors(devices, max, path.child("devices"), check, ({ name = "" }) => name));
  const setsPath = path.child("sharedCounters");
  return [...errors, ...setErrors(sharedCounters, COUNTER_SETS_MAX, setsPath, counterSetErrors, ({ name = "" }) => name)];
}

function isAdvanced({ taints, consumesCounters }: Device): boolean {
  return (taints?.length ?? 0) > 0 || (consumesCounters?.length ?? 0) > 0;
}

function validatePool(pool: ResourceSliceSpec["pool"] | undefined, at: FieldPath): FieldError[] {
  const { name = "", resourceSliceCount: count = 0, generation = 0 } = pool ?? {};
  const errors = poolNameErrors(name, at.child("name"));
  if (count <= 0) errors.push(invalid(at.child("resourceSliceCount"), count, "must be greater than zero"));
  if (generation < 0) errors.push(invalid(at.child("generation"), generation, "must be greater than or equal to zero"));
  return errors;
}

function validateNodes(spec: ResourceSliceSpec): FieldError[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec;
  const errors: FieldError[] = [];
  if (nodeName === "") {
    errors.push(invalid(path.child("nodeName"), "", "must be either unset or set to a non-empty string"));
  } else if (nodeName !== undefined) errors.push(...dnsSubdomainErrors(nodeName, path.child("nodeName")));
  if (nodeSelector !== undefined) {
    const selectorPath = path.child("nodeSelector");
    errors.push(...validateNodeSelector(nodeSelector, false, selectorPath));
    if ((nodeSelector.nodeSelectorTerms ?? []).length !== 1) {
      const printed = toInternal("NodeSelector", nodeSelector).NodeSelectorTerms;
      errors.push(invalid(selectorPath.child("nodeSelectorTerms"), printed, "must have exactly one node selector term"));
    }
  }
  const trueOrUnset = "must be either unset or set to true";
  if (allNodes === false) errors.push(invalid(path.child("allNodes"), false, trueOrUnset));
  if (perDeviceNodeSelection === false) errors.push(invalid(path.child("perDeviceNodeSelection"), false, trueOrUnset));
  const set = NODE_FIELDS.filter((field) => spec[field]);
  if (set.length === 0) return [...errors, required(path, ONE_NODE_FIELD)];
  if (set.length === 1) return errors;
  const shown = `{${set.map((name) => `\`${name}\``).join(", ")}}`;
  return [...errors, invalid(path, shown, `${ONE_NODE_FIELD}, but multiple fields are set`)];
}

function counterSetErrors(set: NonNullable<ResourceSliceSpec["sharedCounters"]>[number], at: FieldPath): FieldError[] {
  const { name = "", counters = {} } = set;
  const errors = name === "" ? [required(at.child("name"), "")] : dnsLabelErrors(name, at.child("name"));
  if (Object.keys(counters).length === 0) return [...errors, required(at.child("counters"), "")];
  return [...errors, ...mapErrors(counters, COUNTERS_MAX, at.child("counters"), { key: dnsLabelErrors })];
}
