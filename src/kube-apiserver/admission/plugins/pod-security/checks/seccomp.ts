import type { SeccompProfile } from "#api/generated/core/v1.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import {
  type Check,
  containerList,
  containersOf,
  exceptOnWindows,
  namesWhere,
  type PodLike,
  plural,
  quoted,
  setters,
  sorted,
  type Violation,
} from "../check.ts";

const REASON = "seccompProfile";
const POD_ANNOTATION = "seccomp.security.alpha.kubernetes.io/pod";
const CONTAINER_ANNOTATION_PREFIX = "container.seccomp.security.alpha.kubernetes.io/";

/** Where a seccomp profile is named, it is the runtime's or the node's own. Until v1.18 annotations named it. */
export const seccompBaseline: Check = {
  id: "seccompProfile_baseline",
  level: "baseline",
  versions: [
    { since: 0, check: checkAnnotations },
    { since: 19, check: checkNamed },
  ],
};

/** A seccomp profile is named for every container. */
export const seccompRestricted: Check = {
  id: "seccompProfile_restricted",
  level: "restricted",
  versions: [
    { since: 19, check: checkEvery, overrides: ["seccompProfile_baseline"] },
    { since: 25, check: exceptOnWindows(checkEvery), overrides: ["seccompProfile_baseline"] },
  ],
};

function checkAnnotations({ spec, annotations }: PodLike): Violation | undefined {
  const keys = [POD_ANNOTATION, ...containersOf(spec).map(({ name }) => CONTAINER_ANNOTATION_PREFIX + name)];
  const bad = keys.flatMap((key) => {
    const value = annotations[key];
    return value === undefined || isAllowedAnnotation(value) ? [] : [`${key}=${goQuote(value)}`];
  });
  if (bad.length === 0) return undefined;
  const list = sorted(bad);
  return { reason: REASON, detail: `forbidden ${plural("annotation", "annotations", list.length)} ${list.join(", ")}` };
}

function isAllowedAnnotation(value: string): boolean {
  return value === "runtime/default" || value === "docker/default" || value.startsWith("localhost/");
}

function isBad(profile: SeccompProfile | undefined): profile is SeccompProfile {
  return profile !== undefined && profile.type !== "RuntimeDefault" && profile.type !== "Localhost";
}

function checkNamed({ spec }: PodLike): Violation | undefined {
  const ofPod = spec.securityContext?.seccompProfile;
  const who = setters(
    isBad(ofPod),
    namesWhere(spec, ({ securityContext }) => isBad(securityContext?.seccompProfile)),
  );
  if (who.length === 0) return undefined;
  const profiles = [ofPod, ...containersOf(spec).map(({ securityContext }) => securityContext?.seccompProfile)].filter(isBad);
  const values = sorted(profiles.map(({ type }) => type));
  return {
    reason: REASON,
    detail: `${who.join(" and ")} must not set securityContext.seccompProfile.type to ${quoted(values)}`,
  };
}

function checkEvery(pod: PodLike): Violation | undefined {
  const named = checkNamed(pod);
  if (named !== undefined || pod.spec.securityContext?.seccompProfile !== undefined) return named;
  const silent = namesWhere(pod.spec, ({ securityContext }) => securityContext?.seccompProfile === undefined);
  if (silent.length === 0) return undefined;
  const detail = `pod or ${containerList(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`;
  return { reason: REASON, detail };
}
