import type { AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext } from "#api/generated/core/v1.ts";
import { duplicate, type FieldError, invalid, notSupported, required, tooLong } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, isValidGroupId, isValidUserId } from "#apimachinery/validation/names.ts";
import { toInternal } from "../internal-form.ts";
import { invalidEach } from "./field-checks.ts";
import type { PodValidationOptions } from "./options.ts";
import { localDescendingPathErrors } from "./paths.ts";
import { validateWindowsOptions } from "./windows.ts";

const PROC_MOUNTS = ["Default", "Unmasked"];
const PROFILE_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];

/** Security of one container. `hostUsers` tells that the pod shares the node's user namespace. */
export function validateSecurityContext(context: SecurityContext | undefined, path: FieldPath, hostUsers: boolean): FieldError[] {
  if (!context) return [];
  const errors: FieldError[] = [];
  const { runAsUser, runAsGroup, procMount } = context;
  if (isSet(runAsUser)) errors.push(...invalidEach(path.child("runAsUser"), runAsUser, isValidUserId(runAsUser)));
  if (isSet(runAsGroup)) errors.push(...invalidEach(path.child("runAsGroup"), runAsGroup, isValidGroupId(runAsGroup)));
  if (isSet(procMount)) {
    const at = path.child("procMount");
    if (!PROC_MOUNTS.includes(procMount)) errors.push(notSupported(at, procMount, PROC_MOUNTS));
    if (hostUsers && procMount === "Unmasked") {
      errors.push(invalid(at, procMount, "`hostUsers` must be false to use `Unmasked`"));
    }
  }
  errors.push(...seccompErrors(context.seccompProfile, path.child("seccompProfile")));
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) {
      const detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
      errors.push(invalid(path, toInternal("SecurityContext", context), detail));
    }
    for (const capability of context.capabilities?.add ?? []) {
      if (capability !== "CAP_SYS_ADMIN") continue;
      const detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
      errors.push(invalid(path, toInternal("SecurityContext", context), detail));
    }
  }
  return [
    ...errors,
    ...validateWindowsOptions(context.windowsOptions, path.child("windowsOptions")),
    ...appArmorErrors(context.appArmorProfile, path.child("appArmorProfile")),
  ];
}

function isSet<T>(value: T | undefined | null): value is T {
  return value !== undefined && value !== null;
}

function seccompErrors(profile: SeccompProfile | undefined, path: FieldPath): FieldError[] {
  if (!profile) return [];
  const errors: FieldError[] = [];
  const type = profile.type ?? "";
  const file = profile.localhostProfile;
  if (type === "") errors.push(required(path.child("type"), "type is required when seccompProfile is set"));
  else if (!PROFILE_TYPES.includes(type)) errors.push(notSupported(path.child("type"), type, PROFILE_TYPES));
  const at = path.child("localhostProfile");
  if (type === "Localhost") {
    if (!isSet(file)) errors.push(required(at, "must be set when seccomp type is Localhost"));
    else errors.push(...localDescendingPathErrors(file, at));
  } else if (isSet(file)) {
    errors.push(invalid(at, { Type: type, LocalhostProfile: file }, "can only be set when seccomp type is Localhost"));
  }
  return errors;
}

const APP_ARMOR_PROFILE_BYTES_MAX = 4095;

function appArmorErrors(profile: AppArmorProfile | undefined, path: FieldPath): FieldError[] {
  if (!profile) return [];
  const errors: FieldError[] = [];
  const type = profile.type ?? "";
  const file = profile.localhostProfile;
  const at = path.child("localhostProfile");
  if (type === "Localhost") {
    const missing = required(at, "must be set when AppArmor type is Localhost");
    if (!isSet(file)) return [missing];
    if (file.trim() !== file) errors.push(invalid(at, file, "must not be padded with whitespace"));
    else if (file === "") errors.push(missing);
    if (byteLength(file) > APP_ARMOR_PROFILE_BYTES_MAX) errors.push(tooLong(at, APP_ARMOR_PROFILE_BYTES_MAX));
  } else if (type === "RuntimeDefault" || type === "Unconfined") {
    if (isSet(file)) errors.push(invalid(at, file, "can only be set when AppArmor type is Localhost"));
  } else if (type === "") {
    errors.push(required(path.child("type"), "type is required when appArmorProfile is set"));
  } else {
    errors.push(notSupported(path.child("type"), type, PROFILE_TYPES));
  }
  return errors;
}

const SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SYSCTL_PATTERN = `^(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}$`;
const sysctlRegExp = new RegExp(SYSCTL_PATTERN);
const SYSCTL_BYTES_MAX = 253;
const IPC_SYSCTLS = new Set(["kernel.sem"]);
const IPC_PREFIXES = ["kernel.shm", "kernel.msg", "fs.mqueue."];

type Namespace = "ipc" | "net" | undefined;

/** The kernel namespace that a sysctl belongs to; slashes may stand for dots. */
function sysctlNamespace(name: string): Namespace {
  const firstSeparator = /[./]/.exec(name)?.[0];
  const dotted = firstSeparator === "/" ? name.replace(/[./]/g, (c) => (c === "/" ? "." : "/")) : name;
  if (IPC_SYSCTLS.has(dotted) || IPC_PREFIXES.some((prefix) => dotted.startsWith(prefix))) return "ipc";
  return dotted.startsWith("net.") ? "net" : undefined;
}

function sysctlErrors(context: PodSecurityContext, spec: PodSpec, path: FieldPath, options: PodValidationOptions): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  (context.sysctls ?? []).forEach((sysctl, i) => {
    const name = sysctl.name ?? "";
    const at = path.index(i).child("name");
    if (name === "") errors.push(required(at, ""));
    else if (byteLength(name) > SYSCTL_BYTES_MAX || !sysctlRegExp.test(name)) {
      const detail = `must have at most ${SYSCTL_BYTES_MAX} characters and match regex ${SYSCTL_PATTERN}`;
      errors.push(invalid(at, name, detail));
    } else if (seen.has(name)) errors.push(duplicate(at, name));
    if (!options.allowNamespacedSysctlsForHostNetAndHostIpc) {
      const namespace = sysctlNamespace(name);
      if (spec.hostNetwork && namespace === "net") {
        errors.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"));
      } else if (spec.hostIPC && namespace === "ipc") {
        errors.push(invalid(at, name, "may not be specified when 'hostIPC' is true"));
      }
    }
    seen.add(name);
  });
  return errors;
}

const FS_GROUP_POLICIES = ["Always", "OnRootMismatch"];
const SUPPLEMENTAL_GROUPS_POLICIES = ["Merge", "Strict"];
const SELINUX_CHANGE_POLICIES = ["Recursive"];

/** Security of the pod as a whole. Upstream's internal form always has a security context. */
export function validatePodSecurityContext(spec: PodSpec, path: FieldPath, options: PodValidationOptions): FieldError[] {
  const context: PodSecurityContext = spec.securityContext ?? {};
  const errors: FieldError[] = [];
  const { fsGroup, runAsUser, runAsGroup, fsGroupChangePolicy, supplementalGroupsPolicy, seLinuxChangePolicy } = context;
  if (isSet(fsGroup)) errors.push(...invalidEach(path.child("fsGroup"), fsGroup, isValidGroupId(fsGroup)));
  if (isSet(runAsUser)) errors.push(...invalidEach(path.child("runAsUser"), runAsUser, isValidUserId(runAsUser)));
  if (isSet(runAsGroup)) errors.push(...invalidEach(path.child("runAsGroup"), runAsGroup, isValidGroupId(runAsGroup)));
  (context.supplementalGroups ?? []).forEach((group, i) => {
    errors.push(...invalidEach(path.child("supplementalGroups").index(i), group, isValidGroupId(group)));
  });
  if (spec.shareProcessNamespace === true && spec.hostPID) {
    const detail = "ShareProcessNamespace and HostPID cannot both be enabled";
    errors.push(invalid(path.child("shareProcessNamespace"), true, detail));
  }
  errors.push(...sysctlErrors(context, spec, path.child("sysctls"), options));
  if (isSet(fsGroupChangePolicy) && !FS_GROUP_POLICIES.includes(fsGroupChangePolicy)) {
    errors.push(notSupported(path.child("fsGroupChangePolicy"), fsGroupChangePolicy, FS_GROUP_POLICIES));
  }
  errors.push(
    ...seccompErrors(context.seccompProfile, path.child("seccompProfile")),
    ...validateWindowsOptions(context.windowsOptions, path.child("windowsOptions")),
    ...appArmorErrors(context.appArmorProfile, path.child("appArmorProfile")),
  );
  if (isSet(supplementalGroupsPolicy) && !SUPPLEMENTAL_GROUPS_POLICIES.includes(supplementalGroupsPolicy)) {
    errors.push(notSupported(path.child("supplementalGroupsPolicy"), supplementalGroupsPolicy, SUPPLEMENTAL_GROUPS_POLICIES));
  }
  if (isSet(seLinuxChangePolicy) && !SELINUX_CHANGE_POLICIES.includes(seLinuxChangePolicy)) {
    errors.push(notSupported(path.child("seLinuxChangePolicy"), seLinuxChangePolicy, SELINUX_CHANGE_POLICIES));
  }
  return errors;
}
