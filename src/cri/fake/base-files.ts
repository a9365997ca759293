import type { Allowance } from "./allowance.ts";
import { MemoryFiles } from "./memory-files.ts";

const DIRECTORIES = [
  "/bin",
  "/dev",
  "/etc",
  "/home",
  "/proc",
  "/root",
  "/run",
  "/tmp",
  "/usr",
  "/usr/bin",
  "/usr/local",
  "/usr/local/bin",
  "/var",
  "/var/log",
  "/var/run",
];

/** What every simulated container finds, whatever its image is. */
export function baseFiles(options: {
  readonly hostname: string;
  readonly ip: string;
  readonly nowMs: number;
  readonly allowance: Allowance;
}): MemoryFiles {
  const { hostname, ip, nowMs } = options;
  const files = new MemoryFiles(nowMs, options.allowance);
  for (const path of DIRECTORIES) files.makeDirectory(path, nowMs, true);
  files.change("/tmp", { mode: 0o777 });
  const texts: Readonly<Record<string, string>> = {
    "/dev/null": "",
    "/etc/hostname": `${hostname}\n`,
    "/etc/hosts": `# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n${ip}\t${hostname}\n`,
    "/etc/os-release": 'NAME="Kybern simulated container"\nID=kybern\n',
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "/etc/resolv.conf":
      "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
  };
  for (const [path, text] of Object.entries(texts)) files.write(path, Buffer.from(text), nowMs);
  return files;
}
