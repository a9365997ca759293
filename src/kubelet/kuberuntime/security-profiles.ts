import { posix } from "node:path";
import type { AppArmorProfile, Container, Pod, SeccompProfile } from "#api/generated/core/v1.ts";
import type { SecurityProfile } from "#cri/linux-config.ts";
import { allContainers } from "./effective-security-context.ts";

/** A container cannot be made from its spec; the message is that of the state `CreateContainerConfigError`. */
export class ContainerConfigError extends Error {
  override readonly name = "ContainerConfigError";
}

/**
 * The seccomp profile of a container: its own, else its pod's. Those of the node are files under `root`. Where nothing is
 * said it is none, or with `runtimeDefault` (`seccompDefault` of the kubelet's configuration) the runtime's.
 */
export function seccompProfile(
  pod: Pod,
  container: Container,
  { root, runtimeDefault }: { readonly root: string; readonly runtimeDefault: boolean },
): SecurityProfile {
  const profile: SeccompProfile | undefined =
    container.securityContext?.seccompProfile ?? pod.spec.securityContext?.seccompProfile;
  if (profile === undefined) return { profileType: runtimeDefault ? "RuntimeDefault" : "Unconfined" };
  if (profile.type === "RuntimeDefault") return { profileType: "RuntimeDefault" };
  if (profile.type !== "Localhost") return { profileType: "Unconfined" };
  const { localhostProfile = "" } = profile;
  if (localhostProfile === "")
    throw new ContainerConfigError("localhostProfile must be set if seccompProfile type is Localhost.");
  return { profileType: "Localhost", localhostRef: posix.join(root, localhostProfile) };
}

/** Before 1.30 profiles were told by an annotation for each container. */
const APP_ARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/";
const LOCALHOST_PREFIX = "localhost/";

/** The AppArmor profile of a container, with its pod's for a default; undefined where nothing is said. */
export function appArmorProfile(pod: Pod, container: Container): SecurityProfile | undefined {
  const profile: AppArmorProfile | undefined =
    container.securityContext?.appArmorProfile ?? pod.spec.securityContext?.appArmorProfile ?? annotated(pod, container);
  if (profile === undefined) return undefined;
  if (profile.type === "RuntimeDefault" || profile.type === "Unconfined") return { profileType: profile.type };
  const { localhostProfile = "" } = profile;
  if (localhostProfile === "") throw new ContainerConfigError("missing localhost apparmor profile name");
  return { profileType: "Localhost", localhostRef: localhostProfile };
}

function annotated(pod: Pod, container: Container): AppArmorProfile | undefined {
  const text = pod.metadata.annotations?.[`${APP_ARMOR_ANNOTATION}${container.name}`] ?? "";
  if (text === "runtime/default") return { type: "RuntimeDefault" };
  if (text === "unconfined") return { type: "Unconfined" };
  if (!text.startsWith(LOCALHOST_PREFIX)) return undefined;
  return { type: "Localhost", localhostProfile: text.slice(LOCALHOST_PREFIX.length) };
}

/** Why a node without AppArmor does not take a pod that asks for a profile; undefined where it does. */
export function appArmorRejection(
  pod: Pod,
  isEnabled: boolean,
): { readonly reason: string; readonly message: string } | undefined {
  if (isEnabled) return undefined;
  const asks = allContainers(pod).some((container) => {
    const { appArmorProfile: own } = container.securityContext ?? {};
    const profile = own ?? pod.spec.securityContext?.appArmorProfile ?? annotated(pod, container);
    return profile !== undefined && profile.type !== "Unconfined";
  });
  if (!asks) return undefined;
  return { reason: "AppArmor", message: "Cannot enforce AppArmor: AppArmor is not enabled on the host" };
}
