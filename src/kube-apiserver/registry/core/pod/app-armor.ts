import type { AppArmorProfile, Pod } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";

/** Followed by the name of a container; the forerunner of `securityContext.appArmorProfile`. */
export const APP_ARMOR_ANNOTATION_PREFIX = "container.apparmor.security.beta.kubernetes.io/";
const LOCALHOST = "localhost/";

/**
 * Gives containers the profiles that a new pod still names by annotation (KEP-24). Returns the names of the containers
 * whose annotation says what no field said, or nothing that can be understood.
 */
export function setAppArmorFields(pod: Draft<Pod>): string[] {
  const { spec } = pod;
  if (!spec || spec.os?.name === "windows") return [];
  const outdated: string[] = [];
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]) {
    const annotation = pod.metadata?.annotations?.[`${APP_ARMOR_ANNOTATION_PREFIX}${container.name}`];
    if (annotation === undefined || container.securityContext?.appArmorProfile) continue;
    const profile = profileOf(annotation);
    if (profile && semanticEqual(profile, spec.securityContext?.appArmorProfile)) continue;
    outdated.push(container.name);
    if (!profile) continue;
    container.securityContext ??= {};
    container.securityContext.appArmorProfile = profile;
  }
  return outdated;
}

function profileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === "unconfined") return { type: "Unconfined" };
  if (annotation === "runtime/default") return { type: "RuntimeDefault" };
  if (!annotation.startsWith(LOCALHOST)) return undefined;
  const localhostProfile = annotation.slice(LOCALHOST.length);
  return localhostProfile === "" ? undefined : { type: "Localhost", localhostProfile };
}
