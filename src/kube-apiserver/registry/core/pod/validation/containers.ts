import type { Container, ContainerRestartRule, Volume } from "#api/generated/core/v1.ts";
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooMany,
} from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateEnv, validateEnvFrom } from "./env.ts";
import { dnsLabelErrors } from "./field-checks.ts";
import type { PodValidationOptions } from "./options.ts";
import { hostPortConflicts, validateContainerPorts } from "./ports.ts";
import { validateLifecycle, validateProbes } from "./probes.ts";
import { validatePullPolicy } from "./pull-policy.ts";
import { validateContainerResources, validateResizePolicy } from "./resources.ts";
import { validateSecurityContext } from "./security-context.ts";
import { validateVolumeDevices, validateVolumeMounts } from "./volume-mounts.ts";

/** What the rest of the pod tells about each container. */
export interface ContainerSurroundings {
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly claimNames: ReadonlySet<string>;
  /** The pod's termination grace period, in seconds. */
  readonly gracePeriod: number | undefined;
  readonly restartPolicy: string;
  readonly hostUsers: boolean;
  readonly options: PodValidationOptions;
}

const MESSAGE_POLICIES = ["File", "FallbackToLogsOnError"];

/** Rules for containers of every sort. */
export function validateContainerCommon(container: Container, around: ContainerSurroundings, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const name = container.name ?? "";
  if (name === "") errors.push(required(path.child("name"), ""));
  else errors.push(...dnsLabelErrors(name, path.child("name")));
  if (!container.image) errors.push(required(path.child("image"), ""));
  const policy = container.terminationMessagePolicy ?? "";
  const policyPath = path.child("terminationMessagePolicy");
  if (policy === "") errors.push(required(policyPath, ""));
  else if (!MESSAGE_POLICIES.includes(policy)) errors.push(notSupported(policyPath, policy, MESSAGE_POLICIES));
  return [
    ...errors,
    ...validateContainerPorts(container.ports ?? [], path.child("ports")),
    ...validateEnv(container.env ?? [], path.child("env")),
    ...validateEnvFrom(container.envFrom ?? [], path.child("envFrom")),
    ...validateVolumeMounts(container, around.volumes, path.child("volumeMounts")),
    ...validateVolumeDevices(container, around.volumes, path.child("volumeDevices")),
    ...validatePullPolicy(container.imagePullPolicy ?? "", path.child("imagePullPolicy")),
    ...validateContainerResources(container.resources ?? {}, around.claimNames, path.child("resources"), around.options),
    ...validateResizePolicy(container.resizePolicy ?? [], path.child("resizePolicy"), around.restartPolicy),
    ...validateSecurityContext(container.securityContext, path.child("securityContext"), around.hostUsers),
  ];
}

const RESTART_POLICIES = ["Always", "Never", "OnFailure"];
const RESTART_ACTIONS = ["Restart", "RestartAllContainers"];
const EXIT_CODE_OPERATORS = ["In", "NotIn"];
const RESTART_RULES_MAX = 20;
const EXIT_CODES_MAX = 255;

/** A container's own restart policy and rules (KEP-5307). */
export function validateRestartPolicyAndRules(container: Container, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const policy = container.restartPolicy;
  const rules = container.restartPolicyRules ?? [];
  const hasPolicy = policy !== undefined && policy !== null;
  if (hasPolicy && !RESTART_POLICIES.includes(policy)) {
    errors.push(notSupported(path.child("restartPolicy"), policy, RESTART_POLICIES));
  }
  if (!hasPolicy && rules.length > 0) {
    errors.push(required(path.child("restartPolicy"), "must specify restartPolicy when restart rules are used"));
  }
  const rulesPath = path.child("restartPolicyRules");
  if (rules.length > RESTART_RULES_MAX) errors.push(tooMany(rulesPath, rules.length, RESTART_RULES_MAX));
  rules.forEach((rule, i) => {
    errors.push(...restartRuleErrors(rule, rulesPath.index(i)));
  });
  return errors;
}

function restartRuleErrors(rule: ContainerRestartRule, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const action = rule.action ?? "";
  if (!RESTART_ACTIONS.includes(action)) errors.push(notSupported(path.child("action"), action, RESTART_ACTIONS));
  const codes = rule.exitCodes;
  if (!codes) {
    errors.push(required(path.child("exitCodes"), "must be specified"));
    return errors;
  }
  const operator = codes.operator ?? "";
  const at = path.child("exitCodes");
  if (!EXIT_CODE_OPERATORS.includes(operator)) {
    errors.push(notSupported(at.child("operator"), operator, EXIT_CODE_OPERATORS));
  }
  const values = codes.values ?? [];
  if (values.length > EXIT_CODES_MAX) errors.push(tooMany(at.child("values"), values.length, EXIT_CODES_MAX));
  return errors;
}

/** The pod's main containers. */
export function validateContainers(
  containers: readonly Container[],
  around: ContainerSurroundings,
  path: FieldPath,
): FieldError[] {
  if (containers.length === 0) return [required(path, "")];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  containers.forEach((container, i) => {
    const at = path.index(i);
    const name = container.name ?? "";
    errors.push(...validateContainerCommon(container, around, at));
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    else names.add(name);
    if (container.lifecycle) {
      errors.push(...validateLifecycle(container.lifecycle, around.gracePeriod, at.child("lifecycle")));
    }
    errors.push(...validateProbes(container, around.gracePeriod, at), ...validateRestartPolicyAndRules(container, at));
  });
  return [...errors, ...hostPortConflicts(containers, path)];
}

const NOT_FOR_INIT = "may not be set for init containers without restartPolicy=Always";

/** Containers that run before the others, one by one; those with restartPolicy Always go on beside them. */
export function validateInitContainers(
  containers: readonly Container[],
  regular: readonly Container[],
  around: ContainerSurroundings,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set(regular.map((container) => container.name ?? ""));
  containers.forEach((container, i) => {
    const at = path.index(i);
    const name = container.name ?? "";
    errors.push(...validateContainerCommon(container, around, at), ...validateRestartPolicyAndRules(container, at));
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    else if (name !== "") names.add(name);
    errors.push(...hostPortConflicts([container], path));
    if (container.restartPolicy === "Always") {
      if (container.lifecycle) {
        errors.push(...validateLifecycle(container.lifecycle, around.gracePeriod, at.child("lifecycle")));
      }
      errors.push(...validateProbes(container, around.gracePeriod, at));
    } else {
      for (const field of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) {
        if (container[field]) errors.push(forbidden(at.child(field), NOT_FOR_INIT));
      }
      if (!around.options.allowRestartOnResizeOfInitContainers) errors.push(...restartOnResizeErrors(container, at));
    }
  });
  return errors;
}

/** A container that ends by itself is not restarted for its resources. */
function restartOnResizeErrors(container: Container, path: FieldPath): FieldError[] {
  return (container.resizePolicy ?? []).flatMap(({ restartPolicy }, i) => {
    if (restartPolicy !== "RestartContainer") return [];
    const at = path.child("resizePolicy").index(i).child("restartPolicy");
    return [invalid(at, restartPolicy, "must not be set to 'RestartContainer' for non-sidecar initContainers")];
  });
}

/** Pods may not have padded image names; templates may, for what they were before this rule. */
export function validateContainerOnlyForPod(container: Container, path: FieldPath): FieldError[] {
  const image = container.image ?? "";
  return image.trim() === image ? [] : [invalid(path.child("image"), image, "must not have leading or trailing whitespace")];
}
