import type { Node } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { duplicate, type FieldError, forbidden, goQuote, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidCidrForLegacyField, parseCidr } from "#apimachinery/validation/ip.ts";
import { byteLength, maxLengthMessage } from "#apimachinery/validation/names.ts";
import { quantityValueErrors } from "../resource-quota/resource-list-validation.ts";
import { validateNodeAnnotations } from "./annotation-validation.ts";
import { validateNodeConfig } from "./config-validation.ts";
import { validateTaints } from "./taint-validation.ts";

const FEATURE_NAME = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z0-9]+)*$/;
const FEATURE_NAME_BYTES_MAX = 253;
const FEATURE_NAME_DETAIL =
  "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes";
const annotationsPath = FieldPath.of("metadata", "annotations");
const spec = FieldPath.of("spec");
const taintsPath = FieldPath.of("metadata", "taints");

/** Upstream's `ValidateNode` without the metadata rules. */
export function validateNode(node: Node): FieldError[] {
  return [
    ...validateNodeAnnotations(node.metadata.annotations ?? {}, annotationsPath),
    ...validateTaints(node.spec?.taints ?? [], taintsPath),
    ...validateResources(node),
    ...swapErrors(node.status?.nodeInfo?.swap?.capacity),
    ...declaredFeatureErrors(node),
    ...validatePodCidrs(node),
  ];
}

/** Upstream reports it at the metadata (KEP-2400). */
function swapErrors(capacity: number | undefined | null): FieldError[] {
  if (capacity === undefined || capacity === null || capacity > 0) return [];
  return [invalid(FieldPath.of("metadata", "nodeSwapStatus", "capacity"), capacity, "must be greater than zero")];
}

/** Features that a node declares are named as feature gates are, and stand in order (KEP-5328). */
function declaredFeatureErrors(node: Node): FieldError[] {
  const path = FieldPath.of("status", "declaredFeatures");
  const names = node.status?.declaredFeatures ?? [];
  return names.flatMap((name, i) => {
    const detail = featureNameDetail(name);
    const errors = detail === "" ? [] : [invalid(path.index(i), name, `invalid feature name ${goQuote(name)}: ${detail}`)];
    const next = names[i + 1];
    if (name === next) errors.push(duplicate(path.index(i + 1), next));
    else if (next !== undefined && name > next)
      errors.push(invalid(path.index(i + 1), next, "list must be sorted alphabetically"));
    return errors;
  });
}

function featureNameDetail(name: string): string {
  if (byteLength(name) > FEATURE_NAME_BYTES_MAX) return maxLengthMessage(FEATURE_NAME_BYTES_MAX);
  return FEATURE_NAME.test(name) ? "" : FEATURE_NAME_DETAIL;
}

/** What upstream's strategy checks on an update: the node as new, then the change. */
export function validateNodeUpdate(node: Node, old: Node): FieldError[] {
  return [...validateNode(node), ...validateNodeChange(node, old)];
}

/** Upstream's `ValidateNodeUpdate` without the metadata rules; all that a status write is checked for. */
export function validateNodeChange(node: Node, old: Node): FieldError[] {
  const errors = [
    ...validateNodeAnnotations(node.metadata.annotations ?? {}, annotationsPath),
    ...validateResources(node),
    ...declaredFeatureErrors(node),
  ];
  const addresses = node.status?.addresses ?? [];
  addresses.forEach((address, i) => {
    if (addresses.slice(0, i).some((other) => semanticEqual(address, other))) {
      errors.push(duplicate(FieldPath.of("status", "addresses").index(i), { Type: address.type, Address: address.address }));
    }
  });
  errors.push(...keptOnceSet(node, old), ...validateNodeConfig(node));
  errors.push(...validateTaints(node.spec?.taints ?? [], taintsPath));
  if ((node.spec?.externalID ?? "") !== (old.spec?.externalID ?? "")) {
    errors.push(forbidden(spec.child("externalID"), "may not be updated"));
  }
  return errors;
}

function keptOnceSet(node: Node, old: Node): FieldError[] {
  const errors: FieldError[] = [];
  const before = old.spec?.podCIDRs ?? [];
  const after = node.spec?.podCIDRs ?? [];
  const cidrChange = forbidden(spec.child("podCIDRs"), 'node updates may not change podCIDR except from "" to valid');
  if (before.length > 0) {
    if (before.length !== after.length) errors.push(cidrChange);
    else errors.push(...before.flatMap((cidr, i) => (cidr === after[i] ? [] : [cidrChange])));
  }
  if (old.spec?.providerID && old.spec.providerID !== node.spec?.providerID) {
    errors.push(forbidden(spec.child("providerID"), 'node updates may not change providerID except from "" to valid'));
  }
  return errors;
}

function validateResources(node: Node): FieldError[] {
  return (["capacity", "allocatable"] as const).flatMap((field) =>
    Object.entries(node.status?.[field] ?? {}).flatMap(([name, amount]) =>
      quantityValueErrors(name, amount, FieldPath.of("status", field, name)),
    ),
  );
}

function validatePodCidrs(node: Node): FieldError[] {
  const cidrs = node.spec?.podCIDRs ?? [];
  const path = spec.child("podCIDRs");
  const errors = cidrs.flatMap((cidr, i) => isValidCidrForLegacyField(path.index(i), cidr));
  if (cidrs.length < 2) return errors;
  const families = cidrs.map((cidr) => parseCidr(cidr)?.address.family);
  const wrong = families.includes(undefined);
  if (wrong) {
    const bad = cidrs[families.indexOf(undefined)];
    errors.push({
      type: "InternalError",
      field: `${path}`,
      message: `Internal error: invalid PodCIDRs. failed to check with dual stack with error:invalid CIDRs: [${cidrs.join(" ")}]: invalid CIDR address: ${bad}`,
    });
  }
  if (wrong || cidrs.length > 2 || new Set(families).size < 2) {
    errors.push(invalid(path, cidrs, "may specify no more than one CIDR for each IP family"));
  }
  return errors;
}
