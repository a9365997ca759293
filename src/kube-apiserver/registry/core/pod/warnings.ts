import type { Container, ContainerPort, NodeSelectorTerm, Pod, PodSpec, PodTemplateSpec } from "#api/generated/core/v1.ts";
import { canonicalQuantity, parseQuantity, quantityMilliValue } from "#apimachinery/resource/quantity.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1123Label } from "#apimachinery/validation/names.ts";
import { visitContainers } from "./visit-containers.ts";

const DEPRECATED_NODE_LABELS: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};
const DEPRECATED_ANNOTATIONS: Readonly<Record<string, string>> = {
  "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
  "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
};
const DEPRECATED_VOLUMES: readonly (readonly [field: string, message: string, name?: string])[] = [
  ["photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["gitRepo", "deprecated in v1.11"],
  ["scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "deprecated in v1.22, non-functional in v1.25+"],
  ["storageos", "deprecated in v1.22, non-functional in v1.25+", "storageOS"],
  ["quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["rbd", "deprecated in v1.28, non-functional in v1.31+"],
];
const SECCOMP_POD_ANNOTATION = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER_PREFIX = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR_PREFIX = "container.apparmor.security.beta.kubernetes.io/";
const SECCOMP_MESSAGE = 'non-functional in v1.27+; use the "seccompProfile" field instead';

/** Warnings for a new pod. */
export function podWarnings(pod: Pod): string[] {
  const messages = isDns1123Label(pod.metadata?.name ?? "");
  const name =
    messages.length === 0
      ? []
      : [
          `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${messages.join(" ")}]`,
        ];
  return [...name, ...specWarnings(pod, FieldPath.root, false)];
}

/** Warnings for a pod template at `path`. */
export function podTemplateWarnings(template: PodTemplateSpec | undefined, path: FieldPath): string[] {
  return template ? specWarnings(template, path, true) : [];
}

function specWarnings(template: PodTemplateSpec, path: FieldPath, isTemplate: boolean): string[] {
  const spec: PodSpec = template.spec ?? { containers: [] };
  const annotations: Readonly<Record<string, string>> = template.metadata?.annotations ?? {};
  const at = path.child("spec");
  const warnings = [...selectorWarnings(spec, at)];
  for (const [key, message] of Object.entries(DEPRECATED_ANNOTATIONS)) {
    if (key in annotations) warnings.push(`${path.child("metadata", "annotations").key(key)}: ${message}`);
  }
  warnings.push(...volumeWarnings(spec, at), ...listWarnings(spec, at));
  for (const name of ["memory", "ephemeral-storage"]) warnings.push(...fraction(spec.overhead, name, at.child("overhead")));
  const annotationPath = path.child("metadata", "annotations");
  if (!spec.securityContext?.seccompProfile && SECCOMP_POD_ANNOTATION in annotations) {
    warnings.push(`${annotationPath.key(SECCOMP_POD_ANNOTATION)}: ${SECCOMP_MESSAGE}`);
  }
  visitContainers(spec, at, (container, containerPath) => {
    const seccomp = `${SECCOMP_CONTAINER_PREFIX}${container.name}`;
    if (!container.securityContext?.seccompProfile && seccomp in annotations) {
      warnings.push(`${annotationPath.key(seccomp)}: ${SECCOMP_MESSAGE}`);
    }
    const appArmor = `${APP_ARMOR_PREFIX}${container.name}`;
    const profile = container.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    if (isTemplate && !profile && appArmor in annotations) {
      warnings.push(`${annotationPath.key(appArmor)}: deprecated since v1.30; use the "appArmorProfile" field instead`);
    }
    warnings.push(...containerWarnings(container, containerPath));
  });
  warnings.push(...portWarnings(spec, at));
  const grace = spec.terminationGracePeriodSeconds;
  if (grace !== undefined && grace < 0)
    warnings.push(
      `${at.child("terminationGracePeriodSeconds")}: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  return warnings;
}

function selectorWarnings(spec: PodSpec, path: FieldPath): string[] {
  const warnings: string[] = [];
  for (const key of Object.keys(spec.nodeSelector ?? {}).sort()) {
    const message = DEPRECATED_NODE_LABELS[key];
    if (message) warnings.push(`${path.child("nodeSelector").key(key)}: ${message}`);
  }
  const affinity = spec.affinity?.nodeAffinity;
  const affinityPath = path.child("affinity", "nodeAffinity");
  const required = "requiredDuringSchedulingIgnoredDuringExecution";
  const preferred = "preferredDuringSchedulingIgnoredDuringExecution";
  (affinity?.[required]?.nodeSelectorTerms ?? []).forEach((term, i) => {
    warnings.push(...termWarnings(term, affinityPath.child(required, "nodeSelectorTerms").index(i)));
  });
  (affinity?.[preferred] ?? []).forEach((term, i) => {
    warnings.push(...termWarnings(term.preference ?? {}, affinityPath.child(preferred).index(i).child("preference")));
  });
  (spec.topologySpreadConstraints ?? []).forEach((constraint, i) => {
    const at = path.child("topologySpreadConstraints").index(i);
    const message = DEPRECATED_NODE_LABELS[constraint.topologyKey];
    if (message) warnings.push(`${at.child("topologyKey")}: ${constraint.topologyKey} is ${message}`);
    if (!constraint.labelSelector) warnings.push(`${at.child("labelSelector")}: a null labelSelector results in matching no pod`);
  });
  return warnings;
}

function termWarnings(term: NodeSelectorTerm, path: FieldPath): string[] {
  return (term.matchExpressions ?? []).flatMap((expression, i) => {
    const message = DEPRECATED_NODE_LABELS[expression.key];
    return message ? [`${path.child("matchExpressions").index(i).child("key")}: ${expression.key} is ${message}`] : [];
  });
}

function volumeWarnings(spec: PodSpec, path: FieldPath): string[] {
  const warnings: string[] = [];
  const volumes = spec.volumes ?? [];
  volumes.forEach((volume, i) => {
    for (const [field, message, name] of DEPRECATED_VOLUMES) {
      if (Reflect.get(volume, field))
        warnings.push(
          `${path
            .child("volumes")
            .index(i)
            .child(name ?? field)}: ${message}`,
        );
    }
  });
  const tokens = new Set<string>();
  for (const volume of volumes) {
    for (const source of volume.projected?.sources ?? []) {
      if (source.serviceAccountToken) tokens.add(source.serviceAccountToken.path);
    }
  }
  if (tokens.size === 0) return warnings;
  volumes.forEach((volume, i) => {
    const at = path.child("volumes").index(i).child("projected", "sources");
    for (const source of volume.projected?.sources ?? []) {
      const lists = [
        ["configMap", source.configMap?.items],
        ["secrets", source.secret?.items],
        ["downwardAPI", source.downwardAPI?.items],
      ] as const;
      for (const [name, items] of lists) {
        (items ?? []).forEach((item, j) => {
          if (tokens.has(item.path)) warnings.push(duplicatePath(at.child(name).index(j), item.path));
        });
      }
      const bundle = source.clusterTrustBundle?.path;
      if (bundle && tokens.has(bundle)) warnings.push(duplicatePath(at.child("ClusterTrustBundle"), bundle));
    }
  });
  return warnings;
}

function duplicatePath(path: FieldPath, file: string): string {
  return `${path}: has duplicated path with ServiceAccountToken ${JSON.stringify(file)}`;
}

function listWarnings(spec: PodSpec, path: FieldPath): string[] {
  const warnings: string[] = [];
  const seenIps = new Set<string>();
  (spec.hostAliases ?? []).forEach((alias, i) => {
    if (seenIps.has(alias.ip))
      warnings.push(`${path.child("hostAliases").index(i).child("ip")}: duplicate ip ${JSON.stringify(alias.ip)}`);
    seenIps.add(alias.ip);
  });
  const secrets = spec.imagePullSecrets ?? [];
  const at = path.child("imagePullSecrets");
  const seenNames = new Set<string>();
  secrets.forEach((secret, i) => {
    const name = secret.name ?? "";
    if (seenNames.has(name)) warnings.push(`${at.index(i).child("name")}: duplicate name ${JSON.stringify(name)}`);
    seenNames.add(name);
  });
  secrets.forEach((secret, i) => {
    if (!secret.name) warnings.push(`${at.index(i).child("name")}: invalid empty name ""`);
  });
  return warnings;
}

function fraction(list: Readonly<Record<string, string>> | undefined, name: string, path: FieldPath): string[] {
  const value = list?.[name];
  if (value === undefined || quantityMilliValue(parseQuantity(value)) % 1000 === 0) return [];
  return [`${path.key(name)}: fractional byte value ${JSON.stringify(canonicalQuantity(value))} is invalid, must be an integer`];
}

function containerWarnings(container: Container, path: FieldPath): string[] {
  const warnings: string[] = [];
  for (const name of ["memory", "ephemeral-storage"]) {
    warnings.push(
      ...fraction(container.resources?.limits, name, path.child("resources", "limits")),
      ...fraction(container.resources?.requests, name, path.child("resources", "requests")),
    );
  }
  const seen = new Set<string>();
  (container.env ?? []).forEach((variable, i) => {
    if (!seen.has(variable.name)) {
      seen.add(variable.name);
      return;
    }
    const reference = `$(${variable.name})`;
    const value = variable.value ?? "";
    if (variable.valueFrom || value === reference || !value.includes(reference)) {
      const quoted = JSON.stringify(variable.name);
      warnings.push(
        `${path.child("env").index(i)}: hides previous definition of ${quoted}, which may be dropped when using apply`,
      );
    }
  });
  return warnings;
}

function portWarnings(spec: PodSpec, path: FieldPath): string[] {
  const warnings: string[] = [];
  const known = new Map<string, { readonly at: FieldPath; readonly port: ContainerPort }[]>();
  visitContainers(spec, path, (container, containerPath) => {
    (container.ports ?? []).forEach((port, i) => {
      const at = containerPath.child("ports").index(i);
      const hostPort = port.hostPort ?? 0;
      const hostIp = port.hostIP ?? "";
      if (hostIp !== "" && hostPort === 0) warnings.push(`${at}: hostIP set without hostPort: ${goPort(port)}`);
      const key = `${port.containerPort}/${port.protocol ?? ""}`;
      const others = known.get(key) ?? [];
      for (const other of others) {
        const otherPort = other.port.hostPort ?? 0;
        const otherIp = other.port.hostIP ?? "";
        if (hostIp === otherIp && hostPort === otherPort) {
          warnings.push(`${at}: duplicate port definition with ${other.at}`);
        } else if (hostPort === 0 || otherPort === 0) {
          warnings.push(`${at}: overlapping port definition with ${other.at}`);
        } else if (hostPort === otherPort && (isAny(hostIp) || isAny(otherIp))) {
          warnings.push(`${at}: dangerously ambiguous port definition with ${other.at}`);
        }
      }
      known.set(key, [...others, { at, port }]);
    });
  });
  return warnings;
}

function isAny(ip: string): boolean {
  return ip === "" || ip === "0.0.0.0" || ip === "::";
}

/** Go's `%+v` of the internal struct. */
function goPort(port: ContainerPort): string {
  return `{Name:${port.name ?? ""} HostPort:${port.hostPort ?? 0} ContainerPort:${port.containerPort} Protocol:${port.protocol ?? ""} HostIP:${port.hostIP ?? ""}}`;
}
