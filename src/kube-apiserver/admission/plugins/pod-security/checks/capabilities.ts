import type { Container } from "#api/generated/core/v1.ts";
import {
  type Check,
  containerList,
  containersOf,
  exceptOnWindows,
  namesWhere,
  type PodLike,
  quoted,
  sorted,
  type Violation,
} from "../check.ts";

/** What container runtimes grant by themselves, but for `NET_RAW`. */
const BASELINE: ReadonlySet<string> = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);
const RESTRICTED: ReadonlySet<string> = new Set(["NET_BIND_SERVICE"]);

/** No capabilities are added beyond what runtimes grant. */
export const capabilitiesBaseline: Check = {
  id: "capabilities_baseline",
  level: "baseline",
  versions: [{ since: 0, check: checkBaseline }],
};

function checkBaseline(pod: PodLike): Violation | undefined {
  const detail = addedBeyond(pod, BASELINE);
  return detail === undefined ? undefined : { reason: "non-default capabilities", detail };
}

/** All capabilities are dropped; one may be added again. */
export const capabilitiesRestricted: Check = {
  id: "capabilities_restricted",
  level: "restricted",
  versions: [
    { since: 22, check: checkRestricted, overrides: ["capabilities_baseline"] },
    { since: 25, check: exceptOnWindows(checkRestricted), overrides: ["capabilities_baseline"] },
  ],
};

function checkRestricted(pod: PodLike): Violation | undefined {
  const details: string[] = [];
  const keeping = namesWhere(pod.spec, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes("ALL"));
  if (keeping.length > 0) details.push(`${containerList(keeping)} must set securityContext.capabilities.drop=["ALL"]`);
  const added = addedBeyond(pod, RESTRICTED);
  if (added !== undefined) details.push(added);
  return details.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: details.join("; ") };
}

function addedBeyond({ spec }: PodLike, allowed: ReadonlySet<string>): string | undefined {
  const beyond = ({ securityContext }: Container): string[] =>
    (securityContext?.capabilities?.add ?? []).filter((capability) => !allowed.has(capability));
  const names = namesWhere(spec, (container) => beyond(container).length > 0);
  if (names.length === 0) return undefined;
  const added = sorted(containersOf(spec).flatMap(beyond));
  return `${containerList(names)} must not include ${quoted(added)} in securityContext.capabilities.add`;
}
