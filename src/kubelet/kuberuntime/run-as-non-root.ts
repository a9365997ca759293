import type { Container, Pod } from "#api/generated/core/v1.ts";
import { effectiveSecurityContext } from "./effective-security-context.ts";

/** Who a process of an image is: a number, or else a name. */
export interface ImageUser {
  readonly uid?: number | undefined;
  readonly username?: string;
}

/** Who processes of an image are in the end: one that names nobody runs as root (upstream's `getImageUser`). */
export function imageUserOf({ uid, username = "" }: ImageUser = {}): ImageUser {
  return uid === undefined && username === "" ? { uid: 0 } : { uid, username };
}

const USER_ID_MAX = 2_147_483_647;

/**
 * Why a container that must not run as root may not start; undefined where it may (upstream's `verifyRunAsNonRoot`). The
 * message is that of the state `CreateContainerConfigError`.
 */
export function verifyRunAsNonRoot(pod: Pod, container: Container, { uid, username = "" }: ImageUser): string | undefined {
  const { runAsNonRoot = false, runAsUser } = effectiveSecurityContext(pod, container);
  if (!runAsNonRoot) return undefined;
  const { name = "", namespace = "", uid: podUid = "" } = pod.metadata;
  const where = `(pod: "${name}_${namespace}(${podUid})", container: ${container.name})`;
  if (runAsUser !== undefined) {
    return runAsUser === 0 ? `container's runAsUser breaks non-root policy ${where}` : undefined;
  }
  if (uid === undefined) {
    if (username === "") return undefined;
    return `container has runAsNonRoot and image has non-numeric user (${username}), cannot verify user is non-root ${where}`;
  }
  if (uid === 0) return `container has runAsNonRoot and image will run as root ${where}`;
  if (uid > 0 && uid <= USER_ID_MAX) return undefined;
  const rule = `must be between 0 and ${USER_ID_MAX}, inclusive`;
  return `container has runAsNonRoot and image has an invalid user id (${uid}). (Must be 1-(${USER_ID_MAX})): ${rule} ${where}`;
}
