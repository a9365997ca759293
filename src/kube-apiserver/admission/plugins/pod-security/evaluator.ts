import type { Check, CheckPod, PodLike, Violation } from "./check.ts";
import { appArmorProfile } from "./checks/app-armor.ts";
import { capabilitiesBaseline, capabilitiesRestricted } from "./checks/capabilities.ts";
import { hostNamespaces, hostPathVolumes, hostPorts, hostProbesAndHostLifecycle, windowsHostProcess } from "./checks/host.ts";
import { procMountBaseline, procMountRestricted, sysctls } from "./checks/kernel.ts";
import { allowPrivilegeEscalation, privileged, runAsNonRoot, runAsUser } from "./checks/privileges.ts";
import { restrictedVolumes } from "./checks/restricted-volumes.ts";
import { seccompBaseline, seccompRestricted } from "./checks/seccomp.ts";
import { seLinuxOptions } from "./checks/selinux.ts";
import type { LevelVersion } from "./policy.ts";

/** Every control, baseline first, each level by id: the order in which violations are told. */
export const podSecurityChecks: readonly Check[] = [
  appArmorProfile,
  capabilitiesBaseline,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbesAndHostLifecycle,
  privileged,
  procMountBaseline,
  seLinuxOptions,
  seccompBaseline,
  sysctls,
  windowsHostProcess,
  allowPrivilegeEscalation,
  capabilitiesRestricted,
  procMountRestricted,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompRestricted,
];

/** No control changed after this minor release: later ones, and `latest`, mean the same. */
const NEWEST = Math.max(...podSecurityChecks.flatMap(({ versions }) => versions.map(({ since }) => since)));

/** What a pod breaks of a level as a release understands it, in upstream's order. */
export function evaluatePod({ level, version }: LevelVersion, pod: PodLike): readonly Violation[] {
  if (level === "privileged") return [];
  const minor = version === "latest" ? NEWEST : Math.min(version, NEWEST);
  return checksFor(level, minor).flatMap((check) => check(pod) ?? []);
}

/** As it stands behind `violates PodSecurity "...": `. */
export function violationDetails(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => (detail === "" ? reason : `${reason} (${detail})`)).join(", ");
}

/** As it stands in a warning about pods that run already. */
export function violationReasons(violations: readonly Violation[]): string {
  return violations.map(({ reason }) => reason).join(", ");
}

const checksByLevel = new Map<string, readonly CheckPod[]>();

function checksFor(level: "baseline" | "restricted", minor: number): readonly CheckPod[] {
  const key = `${level}:${minor}`;
  let found = checksByLevel.get(key);
  if (found === undefined) {
    found = selectChecks(level, minor);
    checksByLevel.set(key, found);
  }
  return found;
}

function selectChecks(level: "baseline" | "restricted", minor: number): readonly CheckPod[] {
  const current = podSecurityChecks.flatMap((check) => {
    const version = check.versions.findLast(({ since }) => since <= minor);
    const applies = version !== undefined && (check.level === "baseline" || level === "restricted");
    return applies ? [{ id: check.id, ...version }] : [];
  });
  const overridden = new Set(current.flatMap(({ overrides }) => overrides ?? []));
  return current.filter(({ id }) => !overridden.has(id)).map(({ check }) => check);
}
