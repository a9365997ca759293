import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { DnsConfig, PodSandboxConfig, PortMapping } from "#cri/pod-sandbox.ts";
import { kernelHostname } from "../network-files/pod-hostname.ts";
import { isSidecar } from "../observed-pod.ts";
import { sandboxLabels } from "./labels.ts";
import { type SandboxSecuritySettings, sandboxSecurityContext, sandboxSysctls } from "./security-context.ts";

/** Where the logs of pods are, as kubelets are configured by default. */
const POD_LOGS_DIR = "/var/log/pods";
const CLUSTER_DOMAIN = "cluster.local";

/** What a sandbox is made of beside the pod's own spec. */
export interface SandboxFacts {
  /** Counts the sandboxes that the pod had. */
  readonly attempt: number;
  /** Empty where cgroups are not managed. */
  readonly cgroupParent: string;
  readonly dns?: DnsConfig;
  readonly security?: SandboxSecuritySettings;
  /** Where the logs of pods are. */
  readonly podLogsDir?: string;
  readonly clusterDomain?: string;
}

/** The folder of a pod's logs. */
export function podLogsFolder({ metadata }: Pod, podLogsDir: string): string {
  const { name = "", namespace = "", uid = "" } = metadata;
  return `${podLogsDir}/${namespace}_${name}_${uid}`;
}

/** What a pod's sandbox is made of (upstream's `generatePodSandboxConfig`). */
export function sandboxConfig(
  pod: Pod,
  { attempt, cgroupParent, dns, security = {}, podLogsDir = POD_LOGS_DIR, clusterDomain = CLUSTER_DOMAIN }: SandboxFacts,
): PodSandboxConfig {
  const { metadata, spec } = pod;
  const { name = "", namespace = "", uid = "", annotations = {} } = metadata;
  // Ports of init containers that end are nobody's: others may have them.
  const containers = [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)];
  return {
    metadata: { name, namespace, uid, attempt },
    hostname: spec.hostNetwork === true ? "" : kernelHostname(pod, clusterDomain),
    labels: sandboxLabels(pod),
    annotations,
    logDirectory: podLogsFolder(pod, podLogsDir),
    ...(dns === undefined ? {} : { dnsConfig: dns }),
    portMappings: containers.flatMap(({ ports = [] }) => ports.map(portMapping)),
    linux: linuxConfig(pod, cgroupParent, security),
  };
}

function linuxConfig(pod: Pod, cgroupParent: string, security: SandboxSecuritySettings): NonNullable<PodSandboxConfig["linux"]> {
  const sysctls = sandboxSysctls(pod);
  return {
    ...(cgroupParent === "" ? {} : { cgroupParent }),
    securityContext: sandboxSecurityContext(pod, security),
    ...(Object.keys(sysctls).length === 0 ? {} : { sysctls }),
  };
}

function portMapping({
  protocol,
  containerPort,
  hostPort = 0,
  hostIP = "",
}: NonNullable<Container["ports"]>[number]): PortMapping {
  const where = hostIP === "" ? {} : { hostIp: hostIP };
  return { protocol: (protocol ?? "TCP") as PortMapping["protocol"], containerPort, hostPort, ...where };
}
