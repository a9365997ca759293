import {
  type Check,
  containerList,
  exceptInUserNamespace,
  exceptOnWindows,
  namesWhere,
  type PodLike,
  setters,
  type Violation,
} from "../check.ts";

/** No container has all rights of the host. */
export const privileged: Check = { id: "privileged", level: "baseline", versions: [{ since: 0, check: checkPrivileged }] };

function checkPrivileged({ spec }: PodLike): Violation | undefined {
  const names = namesWhere(spec, ({ securityContext }) => securityContext?.privileged === true);
  if (names.length === 0) return undefined;
  return { reason: "privileged", detail: `${containerList(names)} must not set securityContext.privileged=true` };
}

/** No process gains more rights than its parent has. */
export const allowPrivilegeEscalation: Check = {
  id: "allowPrivilegeEscalation",
  level: "restricted",
  versions: [
    { since: 8, check: checkEscalation },
    { since: 25, check: exceptOnWindows(checkEscalation) },
  ],
};

function checkEscalation({ spec }: PodLike): Violation | undefined {
  const names = namesWhere(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  return {
    reason: "allowPrivilegeEscalation != false",
    detail: `${containerList(names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
}

/** Images whose user is root are not started. */
export const runAsNonRoot: Check = {
  id: "runAsNonRoot",
  level: "restricted",
  versions: [
    { since: 0, check: checkNonRoot },
    { since: 35, check: exceptInUserNamespace(checkNonRoot) },
  ],
};

function checkNonRoot({ spec }: PodLike): Violation | undefined {
  const reason = "runAsNonRoot != true";
  const ofPod = spec.securityContext?.runAsNonRoot;
  const rooted = namesWhere(spec, ({ securityContext }) => securityContext?.runAsNonRoot === false);
  const who = setters(ofPod === false, rooted);
  if (who.length > 0) return { reason, detail: `${who.join(" and ")} must not set securityContext.runAsNonRoot=false` };
  const silent = namesWhere(spec, ({ securityContext }) => typeof securityContext?.runAsNonRoot !== "boolean");
  if (ofPod === true || silent.length === 0) return undefined;
  return { reason, detail: `pod or ${containerList(silent)} must set securityContext.runAsNonRoot=true` };
}

/** Nothing runs as user 0. */
export const runAsUser: Check = {
  id: "runAsUser",
  level: "restricted",
  versions: [
    { since: 23, check: checkUser },
    { since: 35, check: exceptInUserNamespace(checkUser) },
  ],
};

function checkUser({ spec }: PodLike): Violation | undefined {
  const names = namesWhere(spec, ({ securityContext }) => securityContext?.runAsUser === 0);
  const who = setters(spec.securityContext?.runAsUser === 0, names);
  if (who.length === 0) return undefined;
  return { reason: "runAsUser=0", detail: `${who.join(" and ")} must not set runAsUser=0` };
}
