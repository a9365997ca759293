import type { Container, Pod } from "#api/generated/core/v1.ts";
import type {
  LinuxContainerSecurityContext,
  LinuxSandboxSecurityContext,
  NamespaceMode,
  NamespaceOption,
  SecurityProfile,
} from "#cri/linux-config.ts";
import { allContainers, effectiveSecurityContext } from "./effective-security-context.ts";
import { procPaths } from "./proc-paths.ts";
import type { ImageUser } from "./run-as-non-root.ts";
import { appArmorProfile, seccompProfile } from "./security-profiles.ts";

/** The user namespace of a pod, as the runtime is told of it. */
export type UserNamespace = NonNullable<NamespaceOption["usernsOptions"]>;

/** What of the node and the pod's other parts counts beside its spec. */
export interface SandboxSecuritySettings {
  /** Left out: the pod is in the node's. */
  readonly userNamespace?: UserNamespace;
  /** Groups that own persistent volumes of the pod. */
  readonly extraGroups?: readonly number[];
}

/** The same for one of its containers. */
export interface ContainerSecuritySettings extends SandboxSecuritySettings {
  /** The folder of the node's seccomp profiles: `seccomp` under the kubelet's root. */
  readonly seccompRoot: string;
  /** Containers that say nothing get the runtime's seccomp profile. */
  readonly seccompDefault: boolean;
  /** The container, by its id, whose processes an ephemeral container sees. */
  readonly targetId?: string;
  /** Paths under `/sys` of this machine that are hidden beside the usual. */
  readonly cpuPaths?: readonly string[];
}

const HOST_USERS: UserNamespace = { mode: "NODE" };
/** Whatever the containers are, the sandbox itself needs no more than this. */
const SANDBOX_SECCOMP: SecurityProfile = { profileType: "RuntimeDefault" };

/** Who a pod's sandbox is and what it may (upstream's `generatePodSandboxLinuxConfig`). */
export function sandboxSecurityContext(pod: Pod, settings: SandboxSecuritySettings = {}): LinuxSandboxSecurityContext {
  const { runAsUser, runAsGroup, seLinuxOptions } = pod.spec.securityContext ?? {};
  return {
    privileged: allContainers(pod).some(({ securityContext }) => securityContext?.privileged === true),
    seccomp: SANDBOX_SECCOMP,
    namespaceOptions: namespaces(pod, settings),
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    ...(seLinuxOptions === undefined ? {} : { selinuxOptions: seLinuxOptions }),
    ...groups(pod, settings),
  };
}

/** The kernel's settings that a pod asks for. */
export function sandboxSysctls(pod: Pod): Readonly<Record<string, string>> {
  return Object.fromEntries((pod.spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value]));
}

/**
 * Who a container is and what it may (upstream's `determineEffectiveSecurityContext`). Throws `ContainerConfigError` where
 * a profile is named without a name. See {@link verifyRunAsNonRoot} for whether it may start at all.
 */
export function containerSecurityContext(
  pod: Pod,
  container: Container,
  { uid, username = "" }: ImageUser,
  settings: ContainerSecuritySettings,
): LinuxContainerSecurityContext {
  const own = effectiveSecurityContext(pod, container);
  const apparmor = appArmorProfile(pod, container);
  const user = own.runAsUser ?? uid;
  const { add, drop } = own.capabilities ?? {};
  return {
    ...(own.capabilities === undefined ? {} : { capabilities: { addCapabilities: add ?? [], dropCapabilities: drop ?? [] } }),
    ...(own.privileged === undefined ? {} : { privileged: own.privileged }),
    ...(own.seLinuxOptions === undefined ? {} : { selinuxOptions: own.seLinuxOptions }),
    ...(user === undefined ? {} : { runAsUser: user }),
    ...(own.runAsUser === undefined && username !== "" ? { runAsUsername: username } : {}),
    ...(own.runAsGroup === undefined ? {} : { runAsGroup: own.runAsGroup }),
    ...(own.readOnlyRootFilesystem === undefined ? {} : { readonlyRootfs: own.readOnlyRootFilesystem }),
    noNewPrivs: own.allowPrivilegeEscalation === false,
    namespaceOptions: namespaces(pod, settings, settings.targetId),
    ...groups(pod, settings),
    seccomp: seccompProfile(pod, container, { root: settings.seccompRoot, runtimeDefault: settings.seccompDefault }),
    ...(apparmor === undefined ? {} : { apparmor }),
    ...procPaths(own.procMount, settings.cpuPaths),
  };
}

function namespaces({ spec }: Pod, { userNamespace }: SandboxSecuritySettings, targetId?: string): NamespaceOption {
  const { hostNetwork = false, hostIPC = false } = spec;
  return {
    network: hostNetwork ? "NODE" : "POD",
    ipc: hostIPC ? "NODE" : "POD",
    ...(targetId === undefined ? { pid: pidNamespace(spec) } : { pid: "TARGET", targetId }),
    usernsOptions: userNamespace ?? HOST_USERS,
  };
}

function pidNamespace({ hostPID = false, shareProcessNamespace = false }: Pod["spec"]): NamespaceMode {
  if (hostPID) return "NODE";
  return shareProcessNamespace ? "POD" : "CONTAINER";
}

function groups(
  pod: Pod,
  { extraGroups = [] }: SandboxSecuritySettings,
): Pick<LinuxSandboxSecurityContext, "supplementalGroups" | "supplementalGroupsPolicy"> {
  const { fsGroup, supplementalGroups = [], supplementalGroupsPolicy } = pod.spec.securityContext ?? {};
  const all = [...(fsGroup === undefined ? [] : [fsGroup]), ...supplementalGroups, ...extraGroups];
  return {
    ...(all.length === 0 ? {} : { supplementalGroups: all }),
    ...(supplementalGroupsPolicy === "Strict" ? { supplementalGroupsPolicy: "Strict" } : {}),
  };
}
