import type { IPAddress, ParentReference } from "#api/generated/networking/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidIp } from "#apimachinery/validation/ip.ts";
import { isDns1123Subdomain, isPathSegmentName } from "#apimachinery/validation/names.ts";
import { IMMUTABLE_MESSAGE } from "#apimachinery/validation/object-meta.ts";
import { invalidEach } from "../../core/pod/validation/field-checks.ts";
import { requiredPathSegment } from "../object-reference.ts";

const parentPath = FieldPath.of("spec", "parentRef");

/** The name is the address itself in canonical form; prefixes make no difference. */
export function ipAddressNameErrors(name: string): string[] {
  return isValidIp(FieldPath.root, name).map(({ message }) => message.slice(message.indexOf('": ') + 3));
}

/** Upstream's `ValidateIPAddress` without the metadata rules. */
export function validateIpAddress({ spec }: IPAddress): FieldError[] {
  const parent = spec?.parentRef;
  if (!parent) return [required(parentPath, "")];
  const { group, resource, namespace, name } = parent;
  return [
    ...(group ? invalidEach(parentPath.child("group"), group, isDns1123Subdomain(group)) : []),
    ...requiredPathSegment(resource, parentPath.child("resource")),
    ...requiredPathSegment(name, parentPath.child("name")),
    ...(namespace ? invalidEach(parentPath.child("namespace"), namespace, isPathSegmentName(namespace)) : []),
  ];
}

/** An address stays with its parent. */
export function validateIpAddressUpdate(address: IPAddress, old: IPAddress): FieldError[] {
  const parent = address.spec?.parentRef;
  if (semanticEqual(parent, old.spec?.parentRef)) return [];
  return [invalid(parentPath, parent && inGoOrder(parent), IMMUTABLE_MESSAGE)];
}

function inGoOrder({ group = "", resource = "", namespace = "", name = "" }: ParentReference): object {
  return { Group: group, Resource: resource, Namespace: namespace, Name: name };
}
