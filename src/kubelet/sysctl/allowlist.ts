import type { Pod } from "#api/generated/core/v1.ts";

/** What a setting of the kernel belongs to. */
type SysctlNamespace = "ipc" | "net";

/** Settings that are a namespace's own, by how they begin; `kernel.sem` is one by itself. */
const NAMESPACES: readonly (readonly [string, SysctlNamespace])[] = [
  ["kernel.shm", "ipc"],
  ["kernel.msg", "ipc"],
  ["fs.mqueue.", "ipc"],
  ["net.", "net"],
];

/** Settings that do no other pod any harm, with the kernel that knows them in each namespace (upstream's `safeSysctls`). */
const SAFE_SYSCTLS: readonly { readonly name: string; readonly kernel?: readonly [number, number] }[] = [
  { name: "kernel.shm_rmid_forced" },
  { name: "net.ipv4.ip_local_port_range" },
  { name: "net.ipv4.tcp_syncookies" },
  { name: "net.ipv4.ping_group_range" },
  { name: "net.ipv4.ip_unprivileged_port_start" },
  { name: "net.ipv4.ip_local_reserved_ports", kernel: [3, 16] },
  { name: "net.ipv4.tcp_keepalive_time", kernel: [4, 5] },
  { name: "net.ipv4.tcp_fin_timeout", kernel: [4, 6] },
  { name: "net.ipv4.tcp_keepalive_intvl", kernel: [4, 5] },
  { name: "net.ipv4.tcp_keepalive_probes", kernel: [4, 5] },
  { name: "net.ipv4.tcp_rmem", kernel: [4, 15] },
  { name: "net.ipv4.tcp_wmem", kernel: [4, 15] },
];

const PATTERN_LENGTH_MAX = 253;
const SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const PATTERN_TEXT = `^(${SEGMENT}[\\./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]$`;
const PATTERN: RegExp = new RegExp(`^(${SEGMENT}[./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]$`);

/** The safe ones that a kernel has; `release` as `uname -r` tells it. */
export function safeSysctls(release: string): readonly string[] {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  const version = [Number(major), Number(minor)] as const;
  const has = ([a, b]: readonly [number, number]): boolean => version[0] > a || (version[0] === a && version[1] >= b);
  return SAFE_SYSCTLS.filter(({ kernel }) => kernel === undefined || has(kernel)).map(({ name }) => name);
}

/** Which settings of the kernel pods may have: names, or beginnings that end in `*` (upstream's `patternAllowlist`). */
export class SysctlAllowlist {
  readonly #names = new Map<string, SysctlNamespace>();
  readonly #prefixes = new Map<string, SysctlNamespace>();

  /** `patterns`: the safe ones and those of `--allowed-unsafe-sysctls`. Throws for one that belongs to no namespace. */
  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      if (pattern.length > PATTERN_LENGTH_MAX || !PATTERN.test(pattern)) {
        throw new Error(`sysctl "${pattern}" must have at most ${PATTERN_LENGTH_MAX} characters and match regex ${PATTERN_TEXT}`);
      }
      const name = withDots(pattern);
      const isPrefix = name.endsWith("*");
      const start = isPrefix ? name.slice(0, -1) : name;
      const namespace = namespaceOf(start);
      if (namespace === undefined) {
        throw new Error(`the sysctl${isPrefix ? "s" : ""} "${name}" are not known to be namespaced`);
      }
      (isPrefix ? this.#prefixes : this.#names).set(start, namespace);
    }
  }

  /** Why the node does not take a pod, in upstream's words; undefined where it does. */
  rejectionOf({ spec }: Pod): { readonly reason: string; readonly message: string } | undefined {
    for (const { name } of spec.securityContext?.sysctls ?? []) {
      const wrong = this.#wrongWith(withDots(name), spec.hostNetwork ?? false, spec.hostIPC ?? false);
      if (wrong !== undefined) return { reason: "SysctlForbidden", message: `forbidden sysctl: ${wrong}` };
    }
    return undefined;
  }

  #wrongWith(name: string, hostNetwork: boolean, hostIpc: boolean): string | undefined {
    const namespace = this.#names.get(name) ?? [...this.#prefixes].find(([prefix]) => name.startsWith(prefix))?.[1];
    if (namespace === undefined) return `"${name}" not allowlisted`;
    const isHost = namespace === "ipc" ? hostIpc : hostNetwork;
    return isHost ? `"${name}" not allowed with host ${namespace} enabled` : undefined;
  }
}

function namespaceOf(name: string): SysctlNamespace | undefined {
  if (name === "kernel.sem") return "ipc";
  return NAMESPACES.find(([prefix]) => name.startsWith(prefix))?.[1];
}

/** Names may be written with slashes, as paths under `/proc/sys`; a dot stands for a slash then. */
function withDots(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  return first === "/" ? name.replace(/[./]/g, (letter) => (letter === "/" ? "." : "/")) : name;
}
