import type { AppArmorProfile } from "#api/generated/core/v1.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { type Check, containersOf, namesWhere, type PodLike, plural, quoted, setters, sorted, type Violation } from "../check.ts";

const ANNOTATION_PREFIX = "container.apparmor.security.beta.kubernetes.io/";

/** The runtime's AppArmor profile is not switched off; others are the node's own. */
export const appArmorProfile: Check = {
  id: "appArmorProfile",
  level: "baseline",
  versions: [{ since: 0, check: checkAppArmor }],
};

function isBad(profile: AppArmorProfile | undefined): profile is AppArmorProfile {
  return profile !== undefined && profile.type !== "RuntimeDefault" && profile.type !== "Localhost";
}

function checkAppArmor({ spec, annotations }: PodLike): Violation | undefined {
  const ofPod = spec.securityContext?.appArmorProfile;
  const who = setters(
    isBad(ofPod),
    namesWhere(spec, ({ securityContext }) => isBad(securityContext?.appArmorProfile)),
  );
  const profiles = [ofPod, ...containersOf(spec).map(({ securityContext }) => securityContext?.appArmorProfile)].filter(isBad);
  const values = sorted(profiles.map(({ type }) => type));
  const bad = badAnnotations(annotations);
  if (bad.length > 0) {
    values.push(...bad);
    who.push(plural("annotation", "annotations", bad.length));
  }
  if (who.length === 0) return undefined;
  return {
    reason: plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values.length),
    detail: `${who.join(" and ")} must not set AppArmor profile type to ${quoted(values)}`,
  };
}

function badAnnotations(annotations: PodLike["annotations"]): string[] {
  return Object.entries(annotations)
    .filter(([key, value]) => key.startsWith(ANNOTATION_PREFIX) && !isAllowedAnnotation(value))
    .map(([key, value]) => `${key}=${goQuote(value)}`)
    .sort();
}

function isAllowedAnnotation(value: string): boolean {
  return value === "" || value === "runtime/default" || value.startsWith("localhost/");
}
