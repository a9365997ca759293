import type { Container, Pod, PodSpec, PodTemplateSpec } from "#api/generated/core/v1.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { warningsForIp } from "#apimachinery/validation/ip.ts";
import { isDns1123Label } from "#apimachinery/validation/names.ts";
import { APP_ARMOR_ANNOTATION_PREFIX } from "./app-armor.ts";
import { visitContainers } from "./visit-containers.ts";
import { fractionalBytesWarnings } from "./warnings-amounts.ts";
import { portWarnings } from "./warnings-ports.ts";
import { nodeSelectionWarnings, podAffinityWarnings } from "./warnings-selectors.ts";
import { volumeWarnings } from "./warnings-volumes.ts";

const DEPRECATED_ANNOTATIONS: Readonly<Record<string, string>> = {
  "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
  "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
};
const SECCOMP_POD_ANNOTATION = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER_PREFIX = "container.seccomp.security.alpha.kubernetes.io/";
const SECCOMP_MESSAGE = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const BYTE_RESOURCES = ["memory", "ephemeral-storage"];

/** Warnings for a new pod, but that about AppArmor annotations, which is given when these are read. */
export function podWarnings(pod: Pod): string[] {
  return [...nameWarnings(pod.metadata?.name, "this is used in the Pod's hostname"), ...specWarnings(pod, FieldPath.root, false)];
}

/** Warnings for the name of a workload, which its pods' names begin with. */
export function workloadNameWarnings(name: string | undefined): string[] {
  return nameWarnings(name, "this is used in Pod names and hostnames");
}

function nameWarnings(name: string | undefined, use: string): string[] {
  const messages = isDns1123Label(name ?? "");
  if (messages.length === 0) return [];
  const text = "which can result in surprising behavior; a DNS label is recommended";
  return [`metadata.name: ${use}, ${text}: [${messages.join(" ")}]`];
}

/** Warnings for a pod template at `path`. */
export function podTemplateWarnings(template: PodTemplateSpec | undefined, path: FieldPath): string[] {
  return template ? specWarnings(template, path, true) : [];
}

function specWarnings(template: PodTemplateSpec, path: FieldPath, isTemplate: boolean): string[] {
  const spec: PodSpec = template.spec ?? { containers: [] };
  const annotations: Readonly<Record<string, string>> = template.metadata?.annotations ?? {};
  const at = path.child("spec");
  const annotationPath = path.child("metadata", "annotations");
  const warnings = nodeSelectionWarnings(spec, at);
  for (const [key, message] of Object.entries(DEPRECATED_ANNOTATIONS)) {
    if (Object.hasOwn(annotations, key)) warnings.push(`${annotationPath.key(key)}: ${message}`);
  }
  warnings.push(...volumeWarnings(spec.volumes ?? [], at.child("volumes")), ...listWarnings(spec, at));
  for (const name of BYTE_RESOURCES) warnings.push(...fractionalBytesWarnings(spec.overhead, name, at.child("overhead")));
  if (!spec.securityContext?.seccompProfile && Object.hasOwn(annotations, SECCOMP_POD_ANNOTATION)) {
    warnings.push(`${annotationPath.key(SECCOMP_POD_ANNOTATION)}: ${SECCOMP_MESSAGE}`);
  }
  visitContainers(spec, at, (container, containerPath) => {
    const seccomp = `${SECCOMP_CONTAINER_PREFIX}${container.name}`;
    if (!container.securityContext?.seccompProfile && Object.hasOwn(annotations, seccomp)) {
      warnings.push(`${annotationPath.key(seccomp)}: ${SECCOMP_MESSAGE}`);
    }
    const profile = container.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    if (isTemplate && !profile && Object.hasOwn(annotations, `${APP_ARMOR_ANNOTATION_PREFIX}${container.name}`)) {
      warnings.push(appArmorWarning(container.name, annotationPath));
    }
    warnings.push(...containerWarnings(container, containerPath));
  });
  warnings.push(...portWarnings(spec, at));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    const text = "must be >= 0; negative values are invalid and will be treated as 1";
    warnings.push(`${at.child("terminationGracePeriodSeconds")}: ${text}`);
  }
  return [...warnings, ...podAffinityWarnings(spec, at), ...addressWarnings(spec, at)];
}

/** The warning about a container's AppArmor annotation that no field repeats. */
export function appArmorWarning(container: string, annotations: FieldPath): string {
  const at = annotations.key(`${APP_ARMOR_ANNOTATION_PREFIX}${container}`);
  return `${at}: deprecated since v1.30; use the "appArmorProfile" field instead`;
}

function listWarnings(spec: PodSpec, path: FieldPath): string[] {
  const warnings: string[] = [];
  const seenIps = new Set<string>();
  (spec.hostAliases ?? []).forEach((alias, i) => {
    const ip = alias.ip ?? "";
    if (seenIps.has(ip)) warnings.push(`${path.child("hostAliases").index(i).child("ip")}: duplicate ip ${goQuote(ip)}`);
    seenIps.add(ip);
  });
  const secrets = spec.imagePullSecrets ?? [];
  const at = path.child("imagePullSecrets");
  const seenNames = new Set<string>();
  secrets.forEach((secret, i) => {
    const name = secret.name ?? "";
    if (seenNames.has(name)) warnings.push(`${at.index(i).child("name")}: duplicate name ${goQuote(name)}`);
    seenNames.add(name);
  });
  secrets.forEach((secret, i) => {
    if (!secret.name) warnings.push(`${at.index(i).child("name")}: invalid empty name ""`);
  });
  return warnings;
}

function containerWarnings(container: Container, path: FieldPath): string[] {
  const warnings: string[] = [];
  for (const name of BYTE_RESOURCES) {
    warnings.push(
      ...fractionalBytesWarnings(container.resources?.limits, name, path.child("resources", "limits")),
      ...fractionalBytesWarnings(container.resources?.requests, name, path.child("resources", "requests")),
    );
  }
  const seen = new Set<string>();
  (container.env ?? []).forEach((variable, i) => {
    const name = variable.name ?? "";
    if (!seen.has(name)) {
      seen.add(name);
      return;
    }
    // `X=$(X)more` builds on the value before; anything else hides it.
    const reference = `$(${name})`;
    const value = variable.value ?? "";
    if (variable.valueFrom || value === reference || !value.includes(reference)) {
      const text = `hides previous definition of ${goQuote(name)}, which may be dropped when using apply`;
      warnings.push(`${path.child("env").index(i)}: ${text}`);
    }
  });
  return warnings;
}

/** Addresses that other programs may read differently (KEP-4858). */
function addressWarnings(spec: PodSpec, path: FieldPath): string[] {
  const nameservers = path.child("dnsConfig", "nameservers");
  const aliases = path.child("hostAliases");
  return [
    ...(spec.dnsConfig?.nameservers ?? []).flatMap((ip, i) => warningsForIp(nameservers.index(i), ip)),
    ...(spec.hostAliases ?? []).flatMap((alias, i) => warningsForIp(aliases.index(i).child("ip"), alias.ip ?? "")),
  ];
}
