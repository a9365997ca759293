import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "#api/generated/networking/v1.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidCidrForLegacyField, networkContains, parseCidr, warningsForCidr } from "#apimachinery/validation/ip.ts";
import { isValidPortName, isValidPortNum } from "#apimachinery/validation/names.ts";
import { validateLabelSelector } from "#apimachinery/validation/object-meta.ts";
import { invalidEach } from "../../core/pod/validation/field-checks.ts";

const PROTOCOLS = ["TCP", "UDP", "SCTP"];
const POLICY_TYPES = ["Ingress", "Egress"];
const spec = FieldPath.of("spec");

/** What an old object already had wrong, and may keep. */
interface Leniency {
  readonly labelValues: boolean;
  readonly cidrs: readonly string[];
}

/** Upstream's `ValidateNetworkPolicy` without the metadata rules. */
export function validateNetworkPolicy(policy: NetworkPolicy): FieldError[] {
  return validateSpec(policy, { labelValues: false, cidrs: [] });
}

/** Upstream's `ValidateNetworkPolicyUpdate`: networks that the old policy had anywhere may stay as they are. */
export function validateNetworkPolicyUpdate(policy: NetworkPolicy, old: NetworkPolicy): FieldError[] {
  const blocks = peers(old).flatMap(({ peer }) => peer.ipBlock ?? []);
  return validateSpec(policy, {
    labelValues: selectorErrors(old.spec?.podSelector, false, spec).length > 0,
    cidrs: blocks.flatMap(({ cidr, except }) => [cidr, ...(except ?? [])]),
  });
}

/** Upstream's `networkPolicyWarnings`: networks that are written in an unusual way. */
export function networkPolicyWarnings(policy: NetworkPolicy): string[] {
  return peers(policy).flatMap(({ peer, path }) => {
    if (!peer.ipBlock) return [];
    const at = path.child("ipBlock");
    const except = (peer.ipBlock.except ?? []).flatMap((cidr, i) => warningsForCidr(at.child("except").index(i), cidr));
    return [...warningsForCidr(at.child("cidr"), peer.ipBlock.cidr), ...except];
  });
}

function peers(policy: NetworkPolicy): { peer: NetworkPolicyPeer; path: FieldPath }[] {
  const located = (
    list: readonly NetworkPolicyPeer[] | undefined,
    path: FieldPath,
  ): { peer: NetworkPolicyPeer; path: FieldPath }[] => (list ?? []).map((peer, i) => ({ peer, path: path.index(i) }));
  return [
    ...(policy.spec?.ingress ?? []).flatMap(({ from }, i) => located(from, spec.child("ingress").index(i).child("from"))),
    ...(policy.spec?.egress ?? []).flatMap(({ to }, i) => located(to, spec.child("egress").index(i).child("to"))),
  ];
}

function validateSpec(policy: NetworkPolicy, lenient: Leniency): FieldError[] {
  const { podSelector, ingress, egress, policyTypes } = policy.spec ?? {};
  const errors = selectorErrors(podSelector, lenient.labelValues, spec.child("podSelector"));
  ingress?.forEach(({ ports, from }, i) => {
    errors.push(...validateRule(ports, from, "from", spec.child("ingress").index(i), lenient));
  });
  egress?.forEach(({ ports, to }, i) => {
    errors.push(...validateRule(ports, to, "to", spec.child("egress").index(i), lenient));
  });
  const path = spec.child("policyTypes");
  if ((policyTypes?.length ?? 0) > POLICY_TYPES.length) {
    return [...errors, invalid(path, policyTypes, "may not specify more than two policyTypes")];
  }
  policyTypes?.forEach((type, i) => {
    if (!POLICY_TYPES.includes(type)) errors.push(notSupported(path.index(i), type, POLICY_TYPES));
  });
  return errors;
}

function validateRule(
  ports: readonly NetworkPolicyPort[] | undefined,
  others: readonly NetworkPolicyPeer[] | undefined,
  field: string,
  path: FieldPath,
  lenient: Leniency,
): FieldError[] {
  return [
    ...(ports ?? []).flatMap((port, i) => validatePort(port, path.child("ports").index(i))),
    ...(others ?? []).flatMap((peer, i) => validatePeer(peer, path.child(field).index(i), lenient)),
  ];
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (protocol !== undefined && !PROTOCOLS.includes(protocol)) {
    errors.push(notSupported(path.child("protocol"), protocol, PROTOCOLS));
  }
  const end = path.child("endPort");
  if (port === undefined) {
    if (endPort !== undefined) errors.push(invalid(end, endPort, "may not be specified when `port` is not specified"));
  } else if (typeof port === "number") {
    errors.push(...invalidEach(path.child("port"), port, isValidPortNum(port)));
    if (endPort === undefined) return errors;
    // Upstream v1.36 prints the port here, not the end port.
    if (endPort < port) errors.push(invalid(end, port, "must be greater than or equal to `port`"));
    errors.push(...invalidEach(end, endPort, isValidPortNum(endPort)));
  } else {
    if (endPort !== undefined) errors.push(invalid(end, endPort, "may not be specified when `port` is non-numeric"));
    errors.push(...invalidEach(path.child("port"), port, isValidPortName(port)));
  }
  return errors;
}

function validatePeer(peer: NetworkPolicyPeer, path: FieldPath, lenient: Leniency): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  const errors = [
    ...selectorErrors(podSelector, lenient.labelValues, path.child("podSelector")),
    ...selectorErrors(namespaceSelector, lenient.labelValues, path.child("namespaceSelector")),
    ...(ipBlock ? validateIpBlock(ipBlock, path.child("ipBlock"), lenient.cidrs) : []),
  ];
  if (!podSelector && !namespaceSelector && !ipBlock) errors.push(required(path, "must specify a peer"));
  else if (ipBlock && (podSelector || namespaceSelector)) {
    errors.push(forbidden(path, "may not specify both ipBlock and another peer"));
  }
  return errors;
}

function selectorErrors(selector: NetworkPolicyPeer["podSelector"], lenient: boolean, path: FieldPath): FieldError[] {
  return validateLabelSelector(selector, { allowInvalidLabelValueInSelector: lenient }, path);
}

function validateIpBlock({ cidr, except }: IPBlock, path: FieldPath, known: readonly string[]): FieldError[] {
  if (!cidr) return [required(path.child("cidr"), "")];
  const errors = isValidCidrForLegacyField(path.child("cidr"), cidr, true, known);
  const network = parseCidr(cidr);
  if (network === undefined) return errors;
  except?.forEach((text, i) => {
    const at = path.child("except").index(i);
    errors.push(...isValidCidrForLegacyField(at, text, true, known));
    const part = parseCidr(text);
    if (part === undefined) return;
    if (!networkContains(network, part.address) || network.prefixLength >= part.prefixLength) {
      errors.push(invalid(at, text, "must be a strict subset of `cidr`"));
    }
  });
  return errors;
}
