import type { FlagSet, FlagSpec } from "#component-base/flags.ts";
import { componentFlags } from "./flags/component-flags.ts";
import { count, file, list, text, toggle } from "./flags/flag-specs.ts";
import { type FormerFlags, formerFlagSpecs } from "./flags/former-flags.ts";

/** Flags of the controller manager that are taken, and what they come to. */
export const formerControllerManagerFlags: FormerFlags = {
  "cluster-name": { type: "string", says: "no cloud is told of this cluster, by whatever name" },
  "pod-eviction-timeout": { type: "string", says: "pods leave a lost node as their own tolerations say" },
  "experimental-cluster-signing-duration": { type: "string", says: "taken as --cluster-signing-duration" },
  "cloud-provider": { type: "string", says: "no cloud is asked for anything" },
  "cloud-config": { type: "string", says: "no cloud is asked for anything" },
  "configure-cloud-routes": { type: "bool", says: "no cloud is asked for anything" },
  "enable-garbage-collector": { type: "bool", says: "the garbage collector runs unless --controllers says otherwise" },
};

/** How many keys a controller works on at once, by flag: whose it is, and what upstream takes. */
export const CONCURRENCY_FLAGS: Readonly<Record<string, readonly [controller: string, usual: number]>> = {
  "concurrent-cron-job-syncs": ["cronjob-controller", 5],
  "concurrent-daemonset-syncs": ["daemonset-controller", 2],
  "concurrent-deployment-syncs": ["deployment-controller", 5],
  "concurrent-endpoint-syncs": ["endpoints-controller", 5],
  "concurrent-ephemeralvolume-syncs": ["ephemeral-volume-controller", 5],
  "concurrent-gc-syncs": ["garbage-collector-controller", 20],
  "concurrent-horizontal-pod-autoscaler-syncs": ["horizontal-pod-autoscaler-controller", 5],
  "concurrent-job-syncs": ["job-controller", 5],
  "concurrent-namespace-syncs": ["namespace-controller", 10],
  "concurrent-rc-syncs": ["replicationcontroller-controller", 5],
  "concurrent-replicaset-syncs": ["replicaset-controller", 5],
  "concurrent-resource-quota-syncs": ["resourcequota-controller", 5],
  "concurrent-service-endpoint-syncs": ["endpointslice-controller", 5],
  "concurrent-serviceaccount-token-syncs": ["serviceaccount-token-controller", 5],
  "concurrent-statefulset-syncs": ["statefulset-controller", 5],
  "concurrent-ttl-after-finished-syncs": ["ttl-after-finished-controller", 5],
  "mirroring-concurrent-service-endpoint-syncs": ["endpointslice-mirroring-controller", 5],
};

type OwnFlagTypes = {
  readonly controllers: "strings";
  readonly "use-service-account-credentials": "bool";
  readonly "service-account-private-key-file": "string";
  readonly "root-ca-file": "string";
  readonly "cluster-signing-cert-file": "string";
  readonly "cluster-signing-key-file": "string";
  readonly "cluster-signing-duration": "string";
  readonly "allocate-node-cidrs": "bool";
  readonly "cluster-cidr": "string";
  readonly "node-cidr-mask-size": "int";
  readonly "node-cidr-mask-size-ipv4": "int";
  readonly "node-cidr-mask-size-ipv6": "int";
  readonly "service-cluster-ip-range": "string";
  readonly "node-monitor-period": "string";
  readonly "node-monitor-grace-period": "string";
  readonly "node-startup-grace-period": "string";
  readonly "terminated-pod-gc-threshold": "int";
};

const ownFlags: { readonly [N in keyof OwnFlagTypes]: FlagSpec<OwnFlagTypes[N]> } = {
  controllers: list("NAMES", "Which run: * for those that run unasked, NAME for one more, -NAME for one less.", ["*"]),
  "use-service-account-credentials": toggle("Let each controller act by a service account of its own."),
  "service-account-private-key-file": file("Key that signs the tokens in Secrets; there are none when empty."),
  "root-ca-file": file("Authority that pods are told to trust; that of the kubeconfig when empty."),
  "cluster-signing-cert-file": file("Authority that signs certificates; none are signed when empty."),
  "cluster-signing-key-file": file("Key of that authority."),
  "cluster-signing-duration": text("DURATION", "The longest life of what it signs.", "8760h0m0s"),
  "allocate-node-cidrs": toggle("Give each node a part of --cluster-cidr for its pods."),
  "cluster-cidr": text("CIDRS", "Addresses of pods: one network, or one of each family with a comma between."),
  "node-cidr-mask-size": { ...count("Bits of a node's part, in a cluster of one family; 24, or 64 of IPv6, when 0."), max: 128 },
  "node-cidr-mask-size-ipv4": { ...count("The same of the IPv4 part; 24 when 0."), max: 32 },
  "node-cidr-mask-size-ipv6": { ...count("The same of the IPv6 part; 64 when 0."), max: 128 },
  "service-cluster-ip-range": text("CIDRS", "Addresses of Services, one network or one of each family, which no node is given."),
  "node-monitor-period": text("DURATION", "Between looks at all nodes.", "5s"),
  "node-monitor-grace-period": text("DURATION", "How long a node may be silent before it counts as not ready.", "50s"),
  "node-startup-grace-period": text("DURATION", "The same for a node that never spoke.", "1m0s"),
  "terminated-pod-gc-threshold": count("Pods beyond so many that have ended are removed; 0 for all to stay.", 12_500),
};

/** The flags of `kybern kube-controller-manager`. */
export const kubeControllerManagerFlags: typeof componentFlags & typeof ownFlags & FlagSet = {
  ...componentFlags,
  "secure-port": { ...componentFlags["secure-port"], default: 10257 },
  "leader-elect-resource-name": { ...componentFlags["leader-elect-resource-name"], default: "kube-controller-manager" },
  ...ownFlags,
  ...Object.fromEntries(
    Object.entries(CONCURRENCY_FLAGS).map(([name, [controller, usual]]) => [
      name,
      { ...count(`What ${controller} works on at once.`, usual), min: 1 },
    ]),
  ),
  ...formerFlagSpecs(formerControllerManagerFlags),
};
