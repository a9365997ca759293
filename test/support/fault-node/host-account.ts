import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { TestHost } from "../test-host.ts";

/** What there is on a machine, by its kind: the same before and after, where nothing is left behind. */
export type HostAccount = Readonly<Record<string, readonly string[]>>;

/** Each prints lines, whose order does not count. */
const QUESTIONS: Readonly<Record<string, string>> = {
  sandboxesAndContainers: "ctr -n k8s.io containers list -q",
  tasks: "ctr -n k8s.io tasks list -q",
  snapshots: "ctr -n k8s.io snapshots list | tail -n +2",
  leases: "ctr -n k8s.io leases list -q",
  mounts: "cut -d ' ' -f 5,9- /proc/self/mountinfo",
  networkNamespaces: "ls /run/netns 2>/dev/null; lsns -n -t net -o NS",
  otherNamespaces: "lsns -n -o TYPE,NS,COMMAND | grep -v -e lsns -e 'sh -c' -e ' bash '",
  interfaces: "ip -o link | cut -d : -f 2 | cut -d @ -f 1",
  addresses: "find /run/kybern/cni /var/lib/cni -type f 2>/dev/null | grep -v -e last_reserved_ip -e /lock$",
  cgroups: "find /sys/fs/cgroup -mindepth 1 -type d",
  // Counters and times are no rules.
  iptables: "iptables-save | grep -v '^[#:]'",
  ip6tables: "ip6tables-save | grep -v '^[#:]'",
  nftables: "nft -s list ruleset",
  processes: "ps -e -o comm= | grep -v -x -e ps -e grep -e bash -e sh -e nsenter",
  kubeletFiles: "find /var/lib/kubelet /var/log/pods /var/log/containers -not -path '*/pki/*' 2>/dev/null",
  runtimeFiles: "find /run/containerd /var/lib/containerd/io.containerd.grpc.v1.cri -not -name '*.sock.ttrpc' 2>/dev/null",
};

/** Takes stock of a machine. */
export async function accountOf(host: TestHost): Promise<HostAccount> {
  const names = Object.keys(QUESTIONS);
  const script = names.map((name) => `echo "== ${name}"; { ${QUESTIONS[name]}; } || true`).join("\n");
  const text = await host.run(["bash", "-c", script]);
  const account: Record<string, string[]> = {};
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    const [, name] = /^== (\w+)$/.exec(line) ?? [];
    if (name !== undefined) {
      lines = [];
      account[name] = lines;
    } else if (line.trim() !== "") lines.push(line.trim().replace(/\s+/g, " "));
  }
  for (const found of Object.values(account)) found.sort();
  return account;
}

/** What differs between two accounts: what is new, and what is missing. Nothing where they are the same. */
export function differences(before: HostAccount, after: HostAccount): readonly string[] {
  return Object.keys({ ...before, ...after }).flatMap((name) => {
    const left = [...(before[name] ?? [])];
    const added: string[] = [];
    for (const one of after[name] ?? []) {
      const at = left.indexOf(one);
      if (at < 0) added.push(one);
      else left.splice(at, 1);
    }
    return [...added.map((one) => `${name}: new ${one}`), ...left.map((one) => `${name}: gone ${one}`)];
  });
}

/** What a process has open, by kind and path, without numbers that say nothing. */
export function openFiles(pid: number): readonly string[] {
  const found = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/:\[\d+\]$/, "")];
    } catch {
      // Closed meanwhile.
      return [];
    }
  });
  return found.sort();
}

/** The memory of a process that is its own, in bytes. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
}
