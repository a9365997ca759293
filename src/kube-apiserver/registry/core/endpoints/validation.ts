import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidIpForLegacyField } from "#apimachinery/validation/ip.ts";
import { isDns1123Subdomain, isValidPortNum } from "#apimachinery/validation/names.ts";
import { dnsLabelErrors, invalidEach, qualifiedNameErrors } from "../pod/validation/field-checks.ts";
import { validateNonSpecialIp } from "./special-ip.ts";

const PROTOCOLS = ["SCTP", "TCP", "UDP"];

/** Upstream's `ValidateEndpointsCreate` without the metadata rules. */
export function validateEndpoints(endpoints: Endpoints): FieldError[] {
  const path = FieldPath.of("subsets");
  return (endpoints.subsets ?? []).flatMap((subset, i) => validateSubset(subset, path.index(i)));
}

/** Subsets that did not change are not looked at again. */
export function validateEndpointsUpdate(endpoints: Endpoints, old: Endpoints): FieldError[] {
  return semanticEqual(endpoints.subsets, old.subsets) ? [] : validateEndpoints(endpoints);
}

function validateSubset(subset: EndpointSubset, path: FieldPath): FieldError[] {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  const errors: FieldError[] = [];
  if (addresses.length === 0 && notReadyAddresses.length === 0) {
    errors.push(required(path, "must specify `addresses` or `notReadyAddresses`"));
  }
  errors.push(...addresses.flatMap((address, i) => validateAddress(address, path.child("addresses").index(i))));
  errors.push(...notReadyAddresses.flatMap((address, i) => validateAddress(address, path.child("notReadyAddresses").index(i))));
  errors.push(...ports.flatMap((port, i) => validatePort(port, ports.length > 1, path.child("ports").index(i))));
  return errors;
}

function validateAddress(address: EndpointAddress, path: FieldPath): FieldError[] {
  const errors = isValidIpForLegacyField(path.child("ip"), address.ip);
  if (address.hostname) errors.push(...dnsLabelErrors(address.hostname, path.child("hostname")));
  const node = address.nodeName;
  if (node !== undefined) errors.push(...invalidEach(path.child("nodeName"), node, isDns1123Subdomain(node)));
  return [...errors, ...validateNonSpecialIp(address.ip, path.child("ip"))];
}

function validatePort(port: EndpointPort, nameRequired: boolean, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (port.name) errors.push(...dnsLabelErrors(port.name, path.child("name")));
  else if (nameRequired) errors.push(required(path.child("name"), ""));
  errors.push(...invalidEach(path.child("port"), port.port, isValidPortNum(port.port)));
  if (!port.protocol) errors.push(required(path.child("protocol"), ""));
  else if (!PROTOCOLS.includes(port.protocol)) errors.push(notSupported(path.child("protocol"), port.protocol, PROTOCOLS));
  if (port.appProtocol !== undefined) errors.push(...qualifiedNameErrors(port.appProtocol, path.child("appProtocol")));
  return errors;
}
