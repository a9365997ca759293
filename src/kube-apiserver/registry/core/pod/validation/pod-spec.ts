import type { PodSpec } from "#api/generated/core/v1.ts";
import type { ObjectMeta } from "#apimachinery/meta/api-object.ts";
import { type FieldError, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { validateLabels } from "#apimachinery/validation/object-meta.ts";
import { validateAffinity } from "./affinity.ts";
import { type ContainerSurroundings, validateContainers, validateInitContainers } from "./containers.ts";
import { validateDnsConfig, validateDnsPolicy, validateHostAliases } from "./dns.ts";
import { validateEnvFileVolumes } from "./env.ts";
import { validateEphemeralContainers } from "./ephemeral-containers.ts";
import { dnsLabelErrors, invalidEach } from "./field-checks.ts";
import { activeDeadlineErrors, validateHostnameOverride, validateHostUsers, validateOs } from "./host.ts";
import { type PodValidationOptions, TEMPLATE_OPTIONS } from "./options.ts";
import { hostNetworkPortErrors } from "./ports.ts";
import { validateContainerResources, validatePodLevelResources, validatePodResourceClaims } from "./resources.ts";
import { validateReadinessGates, validateSchedulingGates, validateTolerations, validateTopologySpread } from "./scheduling.ts";
import { validatePodSecurityContext } from "./security-context.ts";
import { validateVolumes } from "./volumes.ts";
import { validateHostProcessPod } from "./windows.ts";

const RESTART_POLICIES = ["Always", "OnFailure", "Never"];
const PREEMPTION_POLICIES = ["PreemptLowerPriority", "Never"];

/** Upstream's `ValidatePodSpec`. `podMeta` is given for real pods only. */
export function validatePodSpec(
  spec: PodSpec,
  podMeta: ObjectMeta | undefined,
  path: FieldPath,
  options: PodValidationOptions,
): FieldError[] {
  const errors: FieldError[] = [];
  const gracePeriod = spec.terminationGracePeriodSeconds ?? undefined;
  if (gracePeriod === undefined) errors.push(required(path.child("terminationGracePeriodSeconds"), ""));
  const checked = validateVolumes(spec.volumes ?? [], podMeta, path.child("volumes"), options);
  const around: ContainerSurroundings = {
    volumes: checked.volumes,
    claimNames: new Set((spec.resourceClaims ?? []).map((claim) => claim.name ?? "").filter((name) => name !== "")),
    gracePeriod,
    restartPolicy: spec.restartPolicy ?? "",
    hostUsers: spec.hostUsers !== false,
    options,
  };
  const containers = spec.containers ?? [];
  errors.push(
    ...checked.errors,
    ...validatePodResourceClaims(spec.resourceClaims ?? [], podMeta, path.child("resourceClaims")),
    ...validateContainers(containers, around, path.child("containers")),
    ...validateInitContainers(spec.initContainers ?? [], containers, around, path.child("initContainers")),
    ...validateEphemeralContainers(spec, around, path.child("ephemeralContainers")),
    ...validatePodLevelResources(spec, around.claimNames, path.child("resources"), options),
    ...(spec.hostNetwork ? hostNetworkPortErrors(containers, options.resourceIsPod, path.child("containers")) : []),
    ...choiceErrors(spec.restartPolicy ?? "", RESTART_POLICIES, path.child("restartPolicy")),
    ...validateDnsPolicy(spec.dnsPolicy ?? "", path.child("dnsPolicy")),
    ...validateLabels(spec.nodeSelector ?? {}, path.child("nodeSelector")),
    ...validatePodSecurityContext(spec, path.child("securityContext"), options),
    ...validateAffinity(spec.affinity, options, path.child("affinity")),
    ...validateDnsConfig(spec, path.child("dnsConfig")),
    ...validateReadinessGates(spec.readinessGates ?? [], path.child("readinessGates")),
    ...validateSchedulingGates(spec.schedulingGates ?? [], path.child("schedulingGates")),
    ...validateTopologySpread(spec.topologySpreadConstraints ?? [], path.child("topologySpreadConstraints"), options),
    ...validateHostProcessPod(spec, path),
    ...validateHostUsers(spec, path),
    ...validateHostnameOverride(spec, path),
    ...nameErrors(spec, path),
  );
  return errors;
}

/** The rules about names and single fields that end upstream's function. */
function nameErrors(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const subdomain = (field: "serviceAccountName" | "nodeName" | "priorityClassName" | "runtimeClassName"): void => {
    const value = spec[field];
    const check = field === "runtimeClassName" ? value !== undefined && value !== null : Boolean(value);
    if (check) errors.push(...invalidEach(path.child(field), value, nameIsDnsSubdomain(value ?? "", false)));
  };
  subdomain("serviceAccountName");
  subdomain("nodeName");
  errors.push(...activeDeadlineErrors(spec.activeDeadlineSeconds, path.child("activeDeadlineSeconds")));
  if (spec.hostname) errors.push(...dnsLabelErrors(spec.hostname, path.child("hostname")));
  if (spec.subdomain) errors.push(...dnsLabelErrors(spec.subdomain, path.child("subdomain")));
  errors.push(
    ...validateTolerations(spec.tolerations ?? [], path.child("tolerations")),
    ...validateHostAliases(spec.hostAliases ?? [], path.child("hostAliases")),
  );
  subdomain("priorityClassName");
  subdomain("runtimeClassName");
  const preemption = spec.preemptionPolicy;
  if (preemption !== undefined && preemption !== null) {
    errors.push(...choiceErrors(preemption, PREEMPTION_POLICIES, path.child("preemptionPolicy")));
  }
  if (spec.overhead) {
    const overhead = { limits: spec.overhead };
    errors.push(...validateContainerResources(overhead, new Set(), path.child("overhead"), TEMPLATE_OPTIONS));
  }
  return [...errors, ...validateOs(spec, path), ...validateEnvFileVolumes(spec, path)];
}

function choiceErrors(value: string, supported: readonly string[], path: FieldPath): FieldError[] {
  if (value === "") return [required(path, "")];
  return supported.includes(value) ? [] : [notSupported(path, value, supported)];
}
