import type { Service, ServicePort } from "#api/generated/core/v1.ts";
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidCidrForLegacyField, isValidIpForLegacyField } from "#apimachinery/validation/ip.ts";
import { validateLabels } from "#apimachinery/validation/labels.ts";
import { isValidPortName, isValidPortNum } from "#apimachinery/validation/names.ts";
import { validateNonSpecialIp } from "../endpoints/special-ip.ts";
import { dnsLabelErrors, dnsSubdomainErrors, invalidEach, qualifiedNameErrors } from "../pod/validation/field-checks.ts";
import { validateClusterIpFields, validateClusterIpUpdate, validateNoClusterIps } from "./cluster-ip-validation.ts";
import { isHeadless, needsHealthCheck } from "./service-fields.ts";
import { validateTrafficPolicies } from "./traffic-validation.ts";

const AFFINITY_TIMEOUT_SECONDS_MAX = 86400;
const AFFINITIES = ["ClientIP", "None"];
const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const TOPOLOGY_MODE = "service.kubernetes.io/topology-mode";
const TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints";
const SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges";
const LOAD_BALANCER_ONLY = "may only be used when `type` is 'LoadBalancer'";
const spec = FieldPath.of("spec");
const annotations = FieldPath.of("metadata", "annotations");

/** Upstream's `ValidateService`. Ports and addresses still to be allocated are not asked for. */
export function validateService(service: Service, old?: Service): FieldError[] {
  return [
    ...validateTopologyAnnotations(service),
    ...validateType(service),
    ...validatePorts(service),
    ...(service.spec.selector ? validateLabels(service.spec.selector, spec.child("selector")) : []),
    ...validateAffinity(service),
    ...validateClusterIpFields(service, old),
    ...validateExternalIps(service, old),
    ...validateTypeName(service),
    ...validatePortSets(service),
    ...validateSourceRanges(service, old),
    ...validateLoadBalancer(service),
    ...validateTrafficPolicies(service, old),
  ];
}

/** Upstream's `ValidateServiceUpdate` without the metadata rules. */
export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  const errors = validateClusterIpUpdate(service, old);
  if (service.spec.type === "LoadBalancer" && old.spec.type === "LoadBalancer") {
    const value = service.spec.loadBalancerClass;
    if (value !== old.spec.loadBalancerClass) {
      errors.push(invalid(spec.child("loadBalancerClass"), value, "may not change once set"));
    }
  }
  errors.push(...validateClass(service));
  if (needsHealthCheck(old) && needsHealthCheck(service) && checkPort(service) !== checkPort(old)) {
    errors.push(forbidden(spec.child("healthCheckNodePort"), "field is immutable"));
  }
  return [...errors, ...validateService(service, old)];
}

const checkPort = (service: Service): number => service.spec.healthCheckNodePort ?? 0;

function validateTopologyAnnotations(service: Service): FieldError[] {
  const mode = service.metadata.annotations?.[TOPOLOGY_MODE];
  const hints = service.metadata.annotations?.[TOPOLOGY_HINTS];
  if (mode === undefined || hints === undefined || mode === hints) return [];
  return [invalid(annotations.key(TOPOLOGY_MODE), mode, `must match annotations[${TOPOLOGY_HINTS}] when both are specified`)];
}

function validateType(service: Service): FieldError[] {
  const errors: FieldError[] = [];
  const { type, ports = [], clusterIPs = [], externalName = "" } = service.spec;
  if (ports.length === 0 && !isHeadless(service) && type !== "ExternalName") errors.push(required(spec.child("ports"), ""));
  if ((type === "LoadBalancer" || type === "NodePort") && isHeadless(service)) {
    errors.push(invalid(spec.child("clusterIPs").index(0), clusterIPs[0], `may not be set to 'None' for ${type} services`));
  }
  if (type === "ExternalName") {
    errors.push(...validateNoClusterIps(service));
    const name = externalName.endsWith(".") ? externalName.slice(0, -1) : externalName;
    const path = spec.child("externalName");
    errors.push(...(name === "" ? [required(path, "")] : dnsSubdomainErrors(name, path)));
  }
  return errors;
}

function validatePorts(service: Service): FieldError[] {
  const ports = service.spec.ports ?? [];
  const names = new Set<string>();
  return ports.flatMap((port, i) => validatePort(port, ports.length > 1, names, spec.child("ports").index(i)));
}

function validatePort(port: ServicePort, nameRequired: boolean, names: Set<string>, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const name = port.name ?? "";
  if (name === "") {
    if (nameRequired) errors.push(required(path.child("name"), ""));
  } else {
    errors.push(...dnsLabelErrors(name, path.child("name")));
    if (names.has(name)) errors.push(duplicate(path.child("name"), name));
    names.add(name);
  }
  const number = port.port ?? 0;
  errors.push(...invalidEach(path.child("port"), number, isValidPortNum(number)));
  const protocol = port.protocol ?? "";
  if (protocol === "") errors.push(required(path.child("protocol"), ""));
  else if (!PROTOCOLS.includes(protocol)) errors.push(notSupported(path.child("protocol"), protocol, PROTOCOLS));
  errors.push(...portNumOrNameErrors(port.targetPort ?? 0, path.child("targetPort")));
  if (port.appProtocol !== undefined) errors.push(...qualifiedNameErrors(port.appProtocol, path.child("appProtocol")));
  return errors;
}

function portNumOrNameErrors(port: number | string, path: FieldPath): FieldError[] {
  return invalidEach(path, port, typeof port === "number" ? isValidPortNum(port) : isValidPortName(port));
}

function validateAffinity(service: Service): FieldError[] {
  const { sessionAffinity = "", sessionAffinityConfig: config } = service.spec;
  const path = spec.child("sessionAffinityConfig");
  if (sessionAffinity === "") return [required(spec.child("sessionAffinity"), "")];
  if (!AFFINITIES.includes(sessionAffinity)) return [notSupported(spec.child("sessionAffinity"), sessionAffinity, AFFINITIES)];
  if (sessionAffinity === "None") {
    return config ? [forbidden(path, "must not be set when session affinity is None")] : [];
  }
  const timeout = config?.clientIP?.timeoutSeconds;
  const timeoutPath = path.child("clientIP", "timeoutSeconds");
  if (timeout === undefined) return [required(timeoutPath, "when session affinity type is ClientIP")];
  if (timeout > 0 && timeout <= AFFINITY_TIMEOUT_SECONDS_MAX) return [];
  return [invalid(timeoutPath, timeout, `must be greater than 0 and less than ${AFFINITY_TIMEOUT_SECONDS_MAX}`)];
}

function validateExternalIps(service: Service, old: Service | undefined): FieldError[] {
  const before = old?.spec.externalIPs ?? [];
  return (service.spec.externalIPs ?? []).flatMap((ip, i) => {
    const path = spec.child("externalIPs").index(i);
    const errors = isValidIpForLegacyField(path, ip, true, before);
    return errors.length > 0 ? errors : validateNonSpecialIp(ip, path);
  });
}

function validateTypeName(service: Service): FieldError[] {
  const type = service.spec.type ?? "";
  if (type === "") return [required(spec.child("type"), "")];
  return TYPES.includes(type) ? [] : [notSupported(spec.child("type"), type, TYPES)];
}

function validatePortSets(service: Service): FieldError[] {
  const ports = service.spec.ports ?? [];
  const path = spec.child("ports");
  const errors: FieldError[] = [];
  if (service.spec.type === "ClusterIP") {
    ports.forEach((port, i) => {
      if (port.nodePort) errors.push(forbidden(path.index(i).child("nodePort"), "may not be used when `type` is 'ClusterIP'"));
    });
  }
  const nodePorts = new Set<string>();
  ports.forEach((port, i) => {
    if (!port.nodePort) return;
    const key = `${port.protocol}/${port.nodePort}`;
    if (nodePorts.has(key)) errors.push(duplicate(path.index(i).child("nodePort"), port.nodePort));
    nodePorts.add(key);
  });
  const numbers = new Set<string>();
  ports.forEach((port, i) => {
    const key = `${port.protocol}/${port.port}`;
    if (numbers.has(key)) errors.push(duplicate(path.index(i), internalPortKey(port)));
    numbers.add(key);
  });
  return errors;
}

/** How Go prints the internal ServicePort of which only protocol and port are set. */
function internalPortKey(port: ServicePort): Record<string, unknown> {
  return { Name: "", Protocol: port.protocol, AppProtocol: null, Port: port.port, TargetPort: 0, NodePort: 0 };
}

function validateSourceRanges(service: Service, old: Service | undefined): FieldError[] {
  const ranges = service.spec.loadBalancerSourceRanges ?? [];
  const misplaced = (path: FieldPath): FieldError[] =>
    service.spec.type === "LoadBalancer" ? [] : [forbidden(path, LOAD_BALANCER_ONLY)];
  if (ranges.length > 0) {
    // The field's name in messages has always been upper case.
    const path = spec.child("LoadBalancerSourceRanges");
    const before = (old?.spec.loadBalancerSourceRanges ?? []).map((range) => range.trim());
    const wrong = ranges.flatMap((range, i) => isValidCidrForLegacyField(path.index(i), range.trim(), true, before));
    return [...misplaced(path), ...wrong];
  }
  const annotation = service.metadata.annotations?.[SOURCE_RANGES];
  if (annotation === undefined) return [];
  const path = annotations.key(SOURCE_RANGES);
  if (annotation === old?.metadata.annotations?.[SOURCE_RANGES]) return misplaced(path);
  const parts = annotation.trim() === "" ? [] : annotation.trim().split(",");
  return [...misplaced(path), ...parts.flatMap((part) => isValidCidrForLegacyField(path, part.trim()))];
}

function validateLoadBalancer(service: Service): FieldError[] {
  const { type, allocateLoadBalancerNodePorts } = service.spec;
  const path = spec.child("allocateLoadBalancerNodePorts");
  const errors: FieldError[] = [];
  if (type !== "LoadBalancer" && allocateLoadBalancerNodePorts !== undefined) errors.push(forbidden(path, LOAD_BALANCER_ONLY));
  if (type === "LoadBalancer" && allocateLoadBalancerNodePorts === undefined) errors.push(required(path, ""));
  return [...errors, ...validateClass(service)];
}

function validateClass(service: Service): FieldError[] {
  const { type, loadBalancerClass } = service.spec;
  const path = spec.child("loadBalancerClass");
  if (loadBalancerClass === undefined) return [];
  return type === "LoadBalancer" ? qualifiedNameErrors(loadBalancerClass, path) : [forbidden(path, LOAD_BALANCER_ONLY)];
}
