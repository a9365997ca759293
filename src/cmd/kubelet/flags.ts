import type { FlagSet, FlagSpec, ParsedFlags } from "#component-base/flags.ts";
import { count, file, list, text, toggle } from "../flags/flag-specs.ts";
import { type FormerFlags, formerFlagSpecs } from "../flags/former-flags.ts";
import { logFlags } from "../flags/log-flags.ts";
import { kubeletConfigurationFlags } from "./configuration-flags.ts";

const BY_RUNTIME = "the container runtime sets up the network of pods, by its own CNI configuration";
const BY_RUNTIME_IMAGE = "the container runtime says which image a pod's sandbox has";
const NO_LONGER = "there is no such thing any more, and nothing is done";
const BY_ADMISSION = "pods may have what the API server lets them have: pod security admission decides";

/** Flags of former years and for things that are otherwise here, and what they come to. */
export const formerKubeletFlags: FormerFlags = {
  "allow-privileged": { type: "bool", says: BY_ADMISSION },
  "host-network-sources": { type: "strings", says: BY_ADMISSION },
  "host-pid-sources": { type: "strings", says: BY_ADMISSION },
  "host-ipc-sources": { type: "strings", says: BY_ADMISSION },
  "container-runtime": { type: "string", says: "containers run on the CRI runtime of --container-runtime-endpoint" },
  docker: { type: "string", says: "containers run on the CRI runtime of --container-runtime-endpoint" },
  "docker-endpoint": { type: "string", says: "containers run on the CRI runtime of --container-runtime-endpoint" },
  "docker-exec-handler": { type: "string", says: "the container runtime runs commands in containers" },
  "network-plugin": { type: "string", says: `${BY_RUNTIME}; kubenet: the kubelet writes one, for a bridge` },
  "network-plugin-dir": { type: "string", says: BY_RUNTIME },
  "network-plugin-mtu": { type: "int", says: `${BY_RUNTIME}; or kubenet's bridge has it` },
  "cni-conf-dir": { type: "string", says: BY_RUNTIME },
  "cni-bin-dir": { type: "string", says: BY_RUNTIME },
  "cni-cache-dir": { type: "string", says: BY_RUNTIME },
  "non-masquerade-cidr": { type: "string", says: BY_RUNTIME },
  "configure-cbr0": { type: "bool", says: BY_RUNTIME },
  "reconcile-cidr": { type: "bool", says: BY_RUNTIME },
  "experimental-flannel-overlay": { type: "bool", says: BY_RUNTIME },
  "pod-infra-container-image": { type: "string", says: BY_RUNTIME_IMAGE },
  "rkt-path": { type: "string", says: "rkt is no runtime any more: the CRI runtime is used" },
  "rkt-api-endpoint": { type: "string", says: "rkt is no runtime any more: the CRI runtime is used" },
  "rkt-stage1-image": { type: "string", says: "rkt is no runtime any more: the CRI runtime is used" },
  "require-kubeconfig": { type: "bool", says: "the API server is that of --kubeconfig, or else that of --api-servers" },
  "auth-path": { type: "string", says: "credentials are those of --kubeconfig" },
  "seccomp-profile-root": { type: "string", says: "profiles are in the folder seccomp of --root-dir" },
  "cadvisor-port": { type: "int", says: "the kubelet's own port serves those metrics, at /metrics/cadvisor" },
  "enable-cadvisor-json-endpoints": { type: "bool", says: NO_LONGER },
  "enable-custom-metrics": { type: "bool", says: NO_LONGER },
  "low-diskspace-threshold-mb": { type: "int", says: "--eviction-hard says how much of the disk is kept free" },
  "outofdisk-transition-frequency": { type: "string", says: "--eviction-pressure-transition-period says it" },
  "master-service-namespace": { type: "string", says: "variables of the Service kubernetes are those of the namespace default" },
  "keep-terminated-pod-volumes": { type: "bool", says: "volumes of pods that have ended are taken down" },
  "babysit-daemons": { type: "bool", says: "systemd looks after the programs of a machine" },
  "resource-container": { type: "string", says: "--kubelet-cgroups says it" },
  "system-container": { type: "string", says: "--system-cgroups says it" },
  "runtime-cgroups": { type: "string", says: "the container runtime stays in the cgroup that it was started in" },
  "cloud-config": { type: "string", says: "clouds have programs of their own: see --cloud-provider=external" },
  "experimental-allowed-unsafe-sysctls": { type: "strings", says: "--allowed-unsafe-sysctls says it" },
  "experimental-nvidia-gpus": { type: "int", says: NO_LONGER },
  "experimental-mounter-path": { type: "string", says: "the system's own mount is used" },
  "experimental-check-node-capabilities-before-mount": { type: "bool", says: NO_LONGER },
  "experimental-kernel-memcg-notification": { type: "bool", says: "memory is looked at in intervals" },
  "really-crash-for-testing": { type: "bool", says: "a fault that nobody handles ends the program in any case" },
  "chaos-chance": { type: "string", says: NO_LONGER },
  containerized: { type: "bool", says: NO_LONGER },
  "housekeeping-interval": { type: "string", says: "containers are measured when somebody asks" },
  "global-housekeeping-interval": { type: "string", says: "containers are measured when somebody asks" },
  "application-metrics-count-limit": { type: "int", says: NO_LONGER },
  "boot-id-file": { type: "string", says: "the kernel tells which boot this is" },
  "machine-id-file": { type: "string", says: "the machine's id is that of /etc/machine-id" },
  "exit-on-lock-contention": { type: "bool", says: "who holds --lock-file keeps it until it ends" },
  "logging-format": { type: "string", says: "the log has one JSON object a line" },
  "log-flush-frequency": { type: "string", says: "each line of the log is written at once" },
  "log-dir": { type: "string", says: "the log goes to standard error" },
  "log-file": { type: "string", says: "the log goes to standard error" },
  vmodule: { type: "string", says: "--v counts for all parts of the program" },
  logtostderr: { type: "bool", says: "the log goes to standard error" },
};

type OwnFlagTypes = {
  readonly kubeconfig: "string";
  readonly "bootstrap-kubeconfig": "string";
  readonly "experimental-bootstrap-kubeconfig": "string";
  readonly "api-servers": "strings";
  readonly config: "string";
  readonly "config-dir": "string";
  readonly "hostname-override": "string";
  readonly "node-ip": "string";
  readonly "node-labels": "strings";
  readonly "register-schedulable": "bool";
  readonly "cloud-provider": "string";
  readonly "root-dir": "string";
  readonly "cert-dir": "string";
  readonly "minimum-container-ttl-duration": "string";
  readonly "maximum-dead-containers-per-container": "int";
  readonly "maximum-dead-containers": "int";
  readonly "experimental-allocatable-ignore-eviction": "bool";
  readonly "lock-file": "string";
};

const ownFlags: { readonly [N in keyof OwnFlagTypes]: FlagSpec<OwnFlagTypes[N]> } = {
  kubeconfig: file("How the API server is reached; without it only manifests are run."),
  "bootstrap-kubeconfig": file("How a client certificate is asked for, when --kubeconfig is not there yet; it is written then."),
  "experimental-bootstrap-kubeconfig": file("The same; the flag of former years."),
  "api-servers": list(
    "URLS",
    "Where the API server is, without authentication; the flag of former years. The first one is taken.",
  ),
  config: file("KubeletConfiguration; flags win. A folder is what it was in former years: one of manifests."),
  "config-dir": text("DIR", "Folder of *.conf files that are merged into that configuration, in the order of their names."),
  "hostname-override": text("NAME", "The node's name, in place of the machine's."),
  "node-ip": text("IPS", "The node's address, or one of IPv4 and one of IPv6."),
  "node-labels": list("KEY=VALUE,...", "Labels that the node is registered with."),
  "register-schedulable": toggle("Let pods come to the node; the flag of former years.", true),
  "cloud-provider": text("NAME", "external: a cloud's own program makes the node ready for pods."),
  "root-dir": text("DIR", "Where the kubelet keeps the files of pods.", "/var/lib/kubelet"),
  "cert-dir": text("DIR", "Where it keeps its certificates.", "/var/lib/kubelet/pki"),
  "minimum-container-ttl-duration": text("DURATION", "How long a container that has ended is kept.", "0s"),
  "maximum-dead-containers-per-container": count("Containers that have ended which are kept of each.", 1),
  "maximum-dead-containers": { type: "int", default: -1, placeholder: "N", help: "And of all; -1 for no limit." },
  "experimental-allocatable-ignore-eviction": toggle("Do not keep back from pods what --eviction-hard asks for."),
  "lock-file": file("File that only one kubelet may hold."),
};

/** The flags of `kybern kubelet`. */
export const kubeletFlags: typeof ownFlags & typeof logFlags & FlagSet = {
  ...ownFlags,
  ...kubeletConfigurationFlags,
  ...formerFlagSpecs(formerKubeletFlags),
  ...logFlags,
};

/** What {@link kubeletFlags} say, beside the configuration. */
export type KubeletFlags = ParsedFlags<typeof ownFlags & typeof logFlags>;
