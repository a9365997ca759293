import type { Container } from "#api/generated/core/v1.ts";
import {
  type Check,
  type CheckPod,
  containerList,
  containersOf,
  exceptInUserNamespace,
  namesWhere,
  type PodLike,
  quoted,
  sorted,
  type Violation,
} from "../check.ts";

/** `/proc` is masked as runtimes do it, but for pods in a user namespace. */
export const procMountBaseline: Check = {
  id: "procMount",
  level: "baseline",
  versions: [
    { since: 0, check: checkProcMount },
    { since: 35, check: exceptInUserNamespace(checkProcMount) },
  ],
};

/** `/proc` is masked as runtimes do it, in a user namespace too. */
export const procMountRestricted: Check = {
  id: "procMount_restricted",
  level: "restricted",
  versions: [{ since: 35, check: checkProcMount, overrides: ["procMount"] }],
};

function checkProcMount({ spec }: PodLike): Violation | undefined {
  const bad = ({ securityContext }: Container): string[] => {
    const type = securityContext?.procMount;
    return type === undefined || type === "Default" ? [] : [type];
  };
  const names = namesWhere(spec, (container) => bad(container).length > 0);
  if (names.length === 0) return undefined;
  const types = sorted(containersOf(spec).flatMap(bad));
  return { reason: "procMount", detail: `${containerList(names)} must not set securityContext.procMount to ${quoted(types)}` };
}

const SYSCTLS_1_0 = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
];
const SYSCTLS_1_27 = [...SYSCTLS_1_0, "net.ipv4.ip_local_reserved_ports"];
const SYSCTLS_1_29 = [
  ...SYSCTLS_1_27,
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
];
const SYSCTLS_1_32 = [...SYSCTLS_1_29, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];

/** Only kernel parameters that touch nobody else are set. */
export const sysctls: Check = {
  id: "sysctls",
  level: "baseline",
  versions: [
    { since: 0, check: onlySysctls(SYSCTLS_1_0) },
    { since: 27, check: onlySysctls(SYSCTLS_1_27) },
    { since: 29, check: onlySysctls(SYSCTLS_1_29) },
    { since: 32, check: onlySysctls(SYSCTLS_1_32) },
  ],
};

function onlySysctls(allowed: readonly string[]): CheckPod {
  return ({ spec }) => {
    const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !allowed.includes(name));
    return names.length === 0 ? undefined : { reason: "forbidden sysctls", detail: names.join(", ") };
  };
}
