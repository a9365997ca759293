import type { Node, NodeStatus } from "#api/generated/core/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { inFamilies, networksInFamilies } from "#cni/simulated-addresses.ts";
import { NODE_FEATURES_OF_UPDATES } from "#component-helpers/node/declared-features.ts";

/** What distinguishes one simulated node. */
export interface NodeIdentity {
  readonly name: string;
  /** Of IPv4; what stands beside it in a cluster of other families follows from it (`#cni/simulated-addresses.ts`). */
  readonly hostIp: string;
  /** The same of its pods' network. */
  readonly podCidr: string;
  /** Which addresses it has, the cluster's default family first: `IPv4`, `IPv6`. */
  readonly families: readonly string[];
}

/** What a simulated node has. */
export const NODE_CPUS = 8;
export const NODE_MEMORY_BYTES: number = 32 * 1024 * 1024 * 1024;
/** Where a kubelet's server listens. */
export const KUBELET_PORT = 10250;
/** What a node says that it is. */
export const KUBELET_VERSION = "v1.36.2";

const CAPACITY = { cpu: String(NODE_CPUS), "ephemeral-storage": "100Gi", "hugepages-2Mi": "0", memory: "32Gi", pods: "110" };

/** The node as it registers itself. */
export function nodeObject({ name, podCidr, families }: NodeIdentity): Node {
  const podCIDRs = networksInFamilies(podCidr, families);
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
      },
      annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
    },
    spec: { podCIDR: podCIDRs[0], podCIDRs },
  } as Node;
}

interface Finding {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

const FINDINGS: readonly Finding[] = [
  {
    type: "MemoryPressure",
    status: "False",
    reason: "KubeletHasSufficientMemory",
    message: "kubelet has sufficient memory available",
  },
  { type: "DiskPressure", status: "False", reason: "KubeletHasNoDiskPressure", message: "kubelet has no disk pressure" },
  { type: "PIDPressure", status: "False", reason: "KubeletHasSufficientPID", message: "kubelet has sufficient PID available" },
  { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" },
];

/** The status of a healthy node; `since` is when it became healthy, both in milliseconds since the epoch. */
export function nodeStatus({ name, hostIp, families }: NodeIdentity, nowMs: number, sinceMs: number): NodeStatus {
  return {
    capacity: CAPACITY,
    allocatable: CAPACITY,
    // A simulated node gives whole CPUs to nobody, and does what pods are told.
    features: { supplementalGroupsPolicy: true },
    declaredFeatures: Object.values(NODE_FEATURES_OF_UPDATES).sort(),
    conditions: FINDINGS.map((finding) => ({
      ...finding,
      lastHeartbeatTime: formatTime(nowMs),
      lastTransitionTime: formatTime(sinceMs),
    })),
    addresses: [
      ...inFamilies(hostIp, families).map((address) => ({ type: "InternalIP", address })),
      { type: "Hostname", address: name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: KUBELET_PORT } },
    nodeInfo: {
      machineID: name,
      systemUUID: name,
      bootID: name,
      kernelVersion: "6.12.0",
      osImage: "Kybern simulated node",
      containerRuntimeVersion: "fake://1.0.0",
      kubeletVersion: KUBELET_VERSION,
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: "amd64",
    },
  } as NodeStatus;
}

/** Nodes of which the addresses of both begin with the same two numbers. */
const NODES_OF_A_BLOCK = 256;
/** Blocks in 172.18.0.0 and 10.244.0.0 and after them; what is further lies elsewhere, because those ranges end. */
const FIRST_BLOCKS = 12;
/** 10.128.0.0 and after it, far from Services (10.96.0.0/12), and the shared address space 100.64.0.0/10. */
const FURTHER_BLOCKS = 28;

/** Most nodes that have networks of their own. */
export const NODES_MAX: number = (FIRST_BLOCKS + FURTHER_BLOCKS) * NODES_OF_A_BLOCK;

/** The identity of the node of a number, from 0 and below {@link NODES_MAX}: pods of the first 256 in 10.244.x.0/24. */
export function nodeIdentity(index: number, name: string, families: readonly string[] = ["IPv4"]): NodeIdentity {
  const block = Math.floor(index / NODES_OF_A_BLOCK);
  const further = block - FIRST_BLOCKS;
  const [hosts, pods] = further < 0 ? [`172.${18 + block}`, `10.${244 + block}`] : [`100.${64 + further}`, `10.${128 + further}`];
  const low = index % NODES_OF_A_BLOCK;
  return { name, hostIp: `${hosts}.${low}.2`, podCidr: `${pods}.${low}.0/24`, families };
}
