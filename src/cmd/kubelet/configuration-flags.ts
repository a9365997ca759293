import { parseGoDuration } from "#apimachinery/go-duration.ts";
import { FlagError, type FlagSpec } from "#component-base/flags.ts";
import { withDefaults } from "#kubelet/configuration/defaults.ts";
import type { KubeletConfigurationPart } from "#kubelet/configuration/kubelet-configuration.ts";
import { readHeaders, readPairs, readSwitches, readTaints, readThresholds } from "../flags/flag-pairs.ts";

/** A flag that stands for a field of the configuration: the field's path with dots, and how its value is read. */
interface ConfigurationFlag {
  readonly path: string;
  readonly type: FlagSpec["type"];
  readonly placeholder: string;
  readonly help: string;
  /** The value as it is when absent. Gets the flag's name for its complaints. */
  readonly read?: (name: string, value: readonly string[]) => unknown;
}

const flag = (path: string, help: string): ConfigurationFlag => ({ path, type: "bool", placeholder: "", help });
const number = (path: string, help: string, placeholder = "N"): ConfigurationFlag => ({ path, type: "int", placeholder, help });
const text = (path: string, placeholder: string, help: string): ConfigurationFlag => ({
  path,
  type: "string",
  placeholder,
  help,
});
const texts = (path: string, placeholder: string, help: string): ConfigurationFlag => ({
  path,
  type: "strings",
  placeholder,
  help,
});
const time = (path: string, help: string): ConfigurationFlag => ({
  path,
  type: "string",
  placeholder: "DURATION",
  help,
  read: (name, [value = ""]) => durationText(name, value),
});
const read = (
  path: string,
  placeholder: string,
  help: string,
  reader: NonNullable<ConfigurationFlag["read"]>,
): ConfigurationFlag => ({ path, type: "strings", placeholder, help, read: reader });
const pairs = (path: string, help: string): ConfigurationFlag => read(path, "NAME=VALUE,...", help, readPairs);
const thresholds = (path: string, help: string): ConfigurationFlag => read(path, "SIGNAL<VALUE,...", help, readThresholds);

/** Upstream's flags for fields of the configuration file (`AddKubeletConfigFlags`). */
const FLAGS: Readonly<Record<string, ConfigurationFlag>> = {
  "pod-manifest-path": text("staticPodPath", "PATH", "Folder of manifests of pods that run here, or one manifest."),
  "manifest-url": text("staticPodURL", "URL", "Where further manifests are read."),
  "manifest-url-header": read("staticPodURLHeader", "NAME:VALUE,...", "Headers of that request.", readHeaders),
  "sync-frequency": time("syncFrequency", "Longest time between two looks at a pod."),
  "file-check-frequency": time("fileCheckFrequency", "Between two looks at the folder of manifests."),
  "http-check-frequency": time("httpCheckFrequency", "Between two requests for manifests."),
  "enable-server": flag("enableServer", "Serve the kubelet's own API."),
  address: text("address", "IP", "Address of the kubelet's own API."),
  port: number("port", "Its port, with TLS.", "PORT"),
  "read-only-port": number("readOnlyPort", "Port where anybody may read, without TLS; 0 for none.", "PORT"),
  "healthz-port": number("healthzPort", "Port of health alone; 0 for none.", "PORT"),
  "healthz-bind-address": text("healthzBindAddress", "IP", "Address of that port."),
  "tls-cert-file": text(
    "tlsCertFile",
    "FILE",
    "Certificate that the kubelet's own API shows; self-made in --cert-dir when empty.",
  ),
  "tls-private-key-file": text("tlsPrivateKeyFile", "FILE", "Key of that certificate."),
  "tls-cipher-suites": texts("tlsCipherSuites", "NAMES", "Cipher suites up to TLS 1.2, by Go's names."),
  "tls-min-version": text("tlsMinVersion", "VERSION", "Oldest TLS version: VersionTLS12 or VersionTLS13."),
  "rotate-certificates": flag("rotateCertificates", "Renew the kubelet's client certificate before it ends."),
  "rotate-server-certificates": flag("serverTLSBootstrap", "Ask the cluster for the serving certificate, and renew it."),
  "client-ca-file": text("authentication.x509.clientCAFile", "FILE", "Authorities of client certificates."),
  "anonymous-auth": flag("authentication.anonymous.enabled", "Let in who does not say who it is, as system:anonymous."),
  "authentication-token-webhook": flag("authentication.webhook.enabled", "Ask the API server whose a token is."),
  "authentication-token-webhook-cache-ttl": time("authentication.webhook.cacheTTL", "How long its answers are remembered."),
  "authorization-mode": text("authorization.mode", "MODE", "AlwaysAllow, or Webhook: the API server is asked who may."),
  "authorization-webhook-cache-authorized-ttl": time("authorization.webhook.cacheAuthorizedTTL", "How long a yes is remembered."),
  "authorization-webhook-cache-unauthorized-ttl": time("authorization.webhook.cacheUnauthorizedTTL", "How long a no is."),
  "enable-debugging-handlers": flag("enableDebuggingHandlers", "Serve logs, exec, attach, port-forward and run."),
  "streaming-connection-idle-timeout": time("streamingConnectionIdleTimeout", "How long such a connection may be silent."),
  "container-runtime-endpoint": text(
    "containerRuntimeEndpoint",
    "unix://PATH",
    "Socket of the container runtime; the first usual one that is there when empty.",
  ),
  "image-service-endpoint": text("imageServiceEndpoint", "unix://PATH", "Socket of its images; the same when empty."),
  "runtime-request-timeout": time("runtimeRequestTimeout", "How long the runtime may take for a request."),
  "cluster-dns": texts("clusterDNS", "IPS", "DNS servers of pods with dnsPolicy ClusterFirst."),
  "cluster-domain": text("clusterDomain", "DOMAIN", "Domain that such pods search."),
  "resolv-conf": text("resolvConf", "FILE", "Resolver configuration that pods' own is made of."),
  "pod-cidr": text("podCIDR", "CIDR", "Addresses of pods where there is no API server to tell."),
  "hairpin-mode": text("hairpinMode", "MODE", "How a pod reaches itself through its Service; the network plugin does it."),
  "register-node": flag("registerNode", "Make the Node object."),
  "register-with-taints": read("registerWithTaints", "KEY=VALUE:EFFECT,...", "Taints that it is made with.", readTaints),
  "provider-id": text("providerID", "ID", "The machine's name in a cloud."),
  "node-status-update-frequency": time("nodeStatusUpdateFrequency", "Between two looks at the node's state."),
  "node-status-max-images": number("nodeStatusMaxImages", "Images that are told of the node; -1 for all."),
  "max-pods": number("maxPods", "Pods that the node takes."),
  "pods-per-core": number("podsPerCore", "Pods for each processor, up to --max-pods; 0 for no such limit."),
  "kube-reserved": pairs("kubeReserved", "What is kept back for Kubernetes' own programs."),
  "system-reserved": pairs("systemReserved", "What is kept back for the rest of the machine."),
  "kube-reserved-cgroup": text("kubeReservedCgroup", "CGROUP", "Cgroup of those programs."),
  "system-reserved-cgroup": text("systemReservedCgroup", "CGROUP", "Cgroup of the rest."),
  "reserved-cpus": text("reservedSystemCPUs", "CPUS", "Processors that are kept back, such as 0-1,4."),
  "enforce-node-allocatable": texts("enforceNodeAllocatable", "NAMES", "What is held to its share: pods, or none."),
  "cgroups-per-qos": flag("cgroupsPerQOS", "Make cgroups for classes of pods and for pods."),
  "cgroup-driver": text(
    "cgroupDriver",
    "DRIVER",
    "Who makes cgroups: cgroupfs or systemd; the runtime's word counts where it has one.",
  ),
  "cgroup-root": text("cgroupRoot", "CGROUP", "Where pods' cgroups are."),
  "kubelet-cgroups": text("kubeletCgroups", "CGROUP", "Cgroup of the kubelet."),
  "system-cgroups": text("systemCgroups", "CGROUP", "Cgroup of processes that are in none."),
  "cpu-cfs-quota": flag("cpuCFSQuota", "Hold containers to their limits of processor time."),
  "cpu-cfs-quota-period": time("cpuCFSQuotaPeriod", "Over how long that is counted."),
  "pod-max-pids": number("podPidsLimit", "Processes of a pod; -1 for as many as the node has room for."),
  "eviction-hard": thresholds("evictionHard", "Pods are evicted at once when a signal goes below."),
  "eviction-soft": thresholds("evictionSoft", "Pods are evicted when a signal stays below."),
  "eviction-soft-grace-period": pairs("evictionSoftGracePeriod", "How long, by signal."),
  "eviction-minimum-reclaim": pairs("evictionMinimumReclaim", "How much is to be won by an eviction, by signal."),
  "eviction-pressure-transition-period": time("evictionPressureTransitionPeriod", "How long pressure is told after it ended."),
  "eviction-max-pod-grace-period": number("evictionMaxPodGracePeriod", "Longest time that an evicted pod gets, in seconds."),
  "image-gc-high-threshold": number("imageGCHighThresholdPercent", "Use of the disk in percent from which images are removed."),
  "image-gc-low-threshold": number("imageGCLowThresholdPercent", "And down to which."),
  "minimum-image-ttl-duration": time("imageMinimumGCAge", "How long an unused image is kept."),
  "registry-qps": number("registryPullQPS", "Pulls of images a second; 0 for any number."),
  "registry-burst": number("registryBurst", "Pulls at once beyond that."),
  "serialize-image-pulls": flag("serializeImagePulls", "Pull one image at a time."),
  "container-log-max-size": text("containerLogMaxSize", "SIZE", "From when on a container's log goes on in a new file."),
  "container-log-max-files": number("containerLogMaxFiles", "Files of a container's log."),
  "event-qps": number("eventRecordQPS", "Events that are told in a second; 0 for any number."),
  "event-burst": number("eventBurst", "Events at once beyond that."),
  "volume-stats-agg-period": time("volumeStatsAggPeriod", "Between two measurements of volumes."),
  "volume-plugin-dir": text("volumePluginDir", "DIR", "Folder of further volume plugins."),
  "enable-controller-attach-detach": flag("enableControllerAttachDetach", "Leave attaching volumes to the controller manager."),
  "allowed-unsafe-sysctls": texts("allowedUnsafeSysctls", "NAMES", "Kernel settings beyond the safe ones that pods may have."),
  "seccomp-default": flag("seccompDefault", "RuntimeDefault for containers that name no seccomp profile."),
  "protect-kernel-defaults": flag("protectKernelDefaults", "Do not start where the kernel's settings are others than needed."),
  "fail-swap-on": flag("failSwapOn", "Do not start on a machine that swaps."),
  "fail-cgroupv1": flag("failCgroupV1", "Do not start where there are only cgroups v1."),
  "oom-score-adj": number("oomScoreAdj", "How the kernel ranks the kubelet when memory is short."),
  "max-open-files": number("maxOpenFiles", "Files that the kubelet may have open."),
  "local-storage-capacity-isolation": flag("localStorageCapacityIsolation", "Count pods' use of the node's disk."),
  "cpu-manager-policy": text("cpuManagerPolicy", "POLICY", "Whether containers get processors of their own: none."),
  "memory-manager-policy": text("memoryManagerPolicy", "POLICY", "Whether they get memory of a NUMA node: None."),
  "topology-manager-policy": text("topologyManagerPolicy", "POLICY", "How such resources are brought together: none."),
  "topology-manager-scope": text("topologyManagerScope", "SCOPE", "For containers or for pods."),
  "cpu-manager-policy-options": pairs("cpuManagerPolicyOptions", "Settings of that policy."),
  "cpu-manager-reconcile-period": time("cpuManagerReconcilePeriod", "Between two looks at what they have."),
  "topology-manager-policy-options": pairs("topologyManagerPolicyOptions", "Settings of that policy."),
  "qos-reserved": pairs("qosReserved", "Requests of a class of pods that others may not use."),
  "iptables-masquerade-bit": number("iptablesMasqueradeBit", "Bit of a packet's mark by which it is masqueraded."),
  "iptables-drop-bit": number("iptablesDropBit", "Bit of a packet's mark by which it is dropped."),
  "kernel-memcg-notification": flag("kernelMemcgNotification", "Be told by the kernel when memory is short."),
  "make-iptables-util-chains": flag("makeIPTablesUtilChains", "Make the chains that tell others which iptables is in use."),
  "kube-api-content-type": text("contentType", "TYPE", "How objects are sent; here as JSON in any case."),
  "kube-api-qps": number("kubeAPIQPS", "Requests a second; the API server's own fairness holds them up."),
  "kube-api-burst": number("kubeAPIBurst", "Requests at once beyond that; likewise."),
  "contention-profiling": flag("enableContentionProfiling", "Profile locks, of which there are none."),
  "feature-gates": read("featureGates", "NAME=true|false,...", "What is there is on in any case.", readSwitches),
};

const DEFAULTS = withDefaults({});

/** As `parseFlags` takes them, with the defaults of the configuration. */
export const kubeletConfigurationFlags: Readonly<Record<string, FlagSpec>> = Object.fromEntries(
  Object.entries(FLAGS).map(([name, { path, type, placeholder, help }]) => [
    name,
    { type, default: defaultOf(path, type), help, ...(placeholder === "" ? {} : { placeholder }) },
  ]),
);

/** The field of each, with dots. */
export const kubeletConfigurationPaths: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(FLAGS).map(([name, { path }]) => [name, path]),
);

/** What flags say of the configuration: those that are given, and no others. Throws a {@link FlagError} for what cannot be read. */
export function configurationOfFlags(
  parsed: Readonly<Record<string, unknown>>,
  given: ReadonlySet<string>,
): KubeletConfigurationPart {
  const result: Record<string, unknown> = {};
  for (const [name, { path, read: reader }] of Object.entries(FLAGS)) {
    if (!given.has(name)) continue;
    const value = parsed[name];
    place(result, path.split("."), reader === undefined ? value : reader(name, Array.isArray(value) ? value : [String(value)]));
  }
  return result as KubeletConfigurationPart;
}

function place(into: Record<string, unknown>, [first = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) into[first] = value;
  else {
    const inner = (into[first] ?? {}) as Record<string, unknown>;
    into[first] = inner;
    place(inner, rest, value);
  }
}

function defaultOf(path: string, type: FlagSpec["type"]): FlagSpec["default"] {
  const value = path.split(".").reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], DEFAULTS);
  if (type === "strings") return Array.isArray(value) ? (value as string[]) : [];
  if (type === "bool") return value === true;
  if (type === "int") return Number(value ?? 0);
  return String(value ?? "");
}

function durationText(name: string, value: string): string {
  try {
    parseGoDuration(value);
    return value;
  } catch {
    throw new FlagError(`flag --${name} takes a duration such as 30s or 5m, not "${value}"`);
  }
}
