import type { Endpoint, EndpointHints, EndpointPort, EndpointSlice } from "#api/generated/discovery/v1.ts";
import { duplicate, type FieldError, invalid, notSupported, required, tooMany } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidIpForLegacyField, parseIp } from "#apimachinery/validation/ip.ts";
import { validateLabels } from "#apimachinery/validation/labels.ts";
import { isDns1123Label, isDns1123Subdomain, isValidLabelValue } from "#apimachinery/validation/names.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";
import { validateNonSpecialIp } from "../../core/endpoints/special-ip.ts";
import { dnsLabelErrors, invalidEach, qualifiedNameErrors } from "../../core/pod/validation/field-checks.ts";

const ADDRESS_TYPES = ["FQDN", "IPv4", "IPv6"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const ENDPOINTS_MAX = 1000;
const ADDRESSES_MAX = 100;
const TOPOLOGY_LABELS_MAX = 16;
const PORTS_MAX = 20000;
const HINTS_MAX = 8;

/** Upstream's `ValidateEndpointSlice` without the metadata rules. */
export function validateEndpointSlice(slice: EndpointSlice): FieldError[] {
  return [...addressTypeErrors(slice.addressType), ...validateEndpoints(slice), ...validatePorts(slice.ports ?? [])];
}

/** Upstream's `ValidateEndpointSliceUpdate` without the metadata rules. */
export function validateEndpointSliceUpdate(slice: EndpointSlice, old: EndpointSlice): FieldError[] {
  return [
    ...validateEndpointSlice(slice),
    ...validateImmutableField(slice.addressType, old.addressType, FieldPath.of("addressType")),
  ];
}

function addressTypeErrors(type: string | undefined): FieldError[] {
  const path = FieldPath.of("addressType");
  if (!type) return [required(path, "")];
  return ADDRESS_TYPES.includes(type) ? [] : [notSupported(path, type, ADDRESS_TYPES)];
}

function validateEndpoints(slice: EndpointSlice): FieldError[] {
  const path = FieldPath.of("endpoints");
  const endpoints = slice.endpoints ?? [];
  if (endpoints.length > ENDPOINTS_MAX) return [tooMany(path, endpoints.length, ENDPOINTS_MAX)];
  return endpoints.flatMap((endpoint, i) => validateEndpoint(endpoint, slice.addressType, path.index(i)));
}

function validateEndpoint(endpoint: Endpoint, type: string, path: FieldPath): FieldError[] {
  const addresses = endpoint.addresses ?? [];
  const addressPath = path.child("addresses");
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(required(addressPath, "must contain at least 1 address"));
  else if (addresses.length > ADDRESSES_MAX) errors.push(tooMany(addressPath, addresses.length, ADDRESSES_MAX));
  errors.push(...addresses.flatMap((address, i) => addressErrors(address, type, addressPath.index(i))));
  const { nodeName, hostname, deprecatedTopology = {} } = endpoint;
  if (nodeName !== undefined) errors.push(...invalidEach(path.child("nodeName"), nodeName, isDns1123Subdomain(nodeName)));
  const topologyPath = path.child("deprecatedTopology");
  const count = Object.keys(deprecatedTopology).length;
  if (count > TOPOLOGY_LABELS_MAX) errors.push(tooMany(topologyPath, count, TOPOLOGY_LABELS_MAX));
  errors.push(...validateLabels(deprecatedTopology, topologyPath));
  if (hostname !== undefined) errors.push(...dnsLabelErrors(hostname, path.child("hostname")));
  if (endpoint.hints) errors.push(...validateHints(endpoint.hints, path.child("hints")));
  return errors;
}

function addressErrors(address: string, type: string, path: FieldPath): FieldError[] {
  if (type === "FQDN") return fullyQualifiedErrors(address, path);
  if (type !== "IPv4" && type !== "IPv6") return [];
  const wrong = isValidIpForLegacyField(path, address);
  const family = parseIp(address)?.family;
  if (family !== undefined && family !== (type === "IPv4" ? 4 : 6)) {
    wrong.push(invalid(path, address, `must be an ${type} address`));
  }
  return [...wrong, ...validateNonSpecialIp(address, path)];
}

function fullyQualifiedErrors(name: string, path: FieldPath): FieldError[] {
  if (name === "") return [required(path, "")];
  const bare = name.endsWith(".") ? name.slice(0, -1) : name;
  const wrong = isDns1123Subdomain(bare);
  if (wrong.length > 0) return [invalid(path, bare, wrong.join(","))];
  if (bare.split(".").length < 2) return [invalid(path, bare, "should be a domain with at least two segments separated by dots")];
  return bare
    .split(".")
    .flatMap((label) => (isDns1123Label(label).length > 0 ? invalidEach(path, label, isDns1123Label(label)) : []));
}

function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  const path = FieldPath.of("ports");
  if (ports.length > PORTS_MAX) return [tooMany(path, ports.length, PORTS_MAX)];
  const names = new Set<string>();
  return ports.flatMap((port, i) => {
    const at = path.index(i);
    const name = port.name ?? "";
    const errors: FieldError[] = name === "" ? [] : dnsLabelErrors(name, at.child("name"));
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    names.add(name);
    if (port.protocol === undefined) errors.push(required(at.child("protocol"), ""));
    else if (!PROTOCOLS.includes(port.protocol)) errors.push(notSupported(at.child("protocol"), port.protocol, PROTOCOLS));
    if (port.appProtocol !== undefined) errors.push(...qualifiedNameErrors(port.appProtocol, at.child("appProtocol")));
    return errors;
  });
}

function validateHints(hints: EndpointHints, path: FieldPath): FieldError[] {
  return [
    ...hintErrors(hints.forZones ?? [], isValidLabelValue, path.child("forZones")),
    ...hintErrors(hints.forNodes ?? [], isDns1123Subdomain, path.child("forNodes")),
  ];
}

function hintErrors(hints: readonly { name: string }[], check: (name: string) => string[], path: FieldPath): FieldError[] {
  if (hints.length > HINTS_MAX) return [tooMany(path, hints.length, HINTS_MAX)];
  const names = new Set<string>();
  return hints.flatMap(({ name }, i) => {
    const at = path.index(i).child("name");
    const errors = names.has(name) ? [duplicate(at, name)] : [];
    names.add(name);
    return [...errors, ...invalidEach(at, name, check(name))];
  });
}
