import type { Node, Taint } from "#api/generated/core/v1.ts";
import { KUBELET_LABELS } from "./node-labels.ts";

const UNSCHEDULABLE = "node.kubernetes.io/unschedulable";
const UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized";
/** Who attaches volumes; the controller manager when it says `true`. */
const ATTACH_ANNOTATION = "volumes.kubernetes.io/controller-managed-attach-detach";

/** How a node is registered. */
export interface NodeRequest {
  readonly nodeName: string;
  readonly hostname: string;
  /** As Go names it. */
  readonly architecture: string;
  /** `--node-labels`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly schedulable: boolean;
  readonly providerId: string;
  /** A cloud's own program makes the node ready. */
  readonly externalCloud: boolean;
  readonly controllerAttach: boolean;
}

/** The Node object as it is made, without its status (upstream's `initialNode`). */
export function initialNode(request: NodeRequest): Node {
  const { nodeName, hostname, architecture, labels, schedulable, providerId, controllerAttach } = request;
  const taints = taintsOf(request);
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: nodeName,
      labels: {
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture,
        "kubernetes.io/hostname": hostname,
        "kubernetes.io/os": "linux",
        ...labels,
      },
      ...(controllerAttach ? { annotations: { [ATTACH_ANNOTATION]: "true" } } : {}),
    },
    spec: {
      ...(schedulable ? {} : { unschedulable: true }),
      ...(taints.length === 0 ? {} : { taints }),
      ...(providerId === "" ? {} : { providerID: providerId }),
    },
  } as Node;
}

function taintsOf({ taints, schedulable, externalCloud }: NodeRequest): readonly Taint[] {
  const isTold = taints.some(({ key, effect }) => key === UNSCHEDULABLE && effect === "NoSchedule");
  return [
    ...taints,
    ...(schedulable || isTold ? [] : [{ key: UNSCHEDULABLE, effect: "NoSchedule" }]),
    ...(externalCloud ? [{ key: UNINITIALIZED, value: "true", effect: "NoSchedule" }] : []),
  ];
}

/** What is to be changed of a Node that is there already: a merge patch of its metadata; undefined when nothing is. */
export function reconciledMetadata(wanted: Node, existing: Node): object | undefined {
  const labels: Record<string, string> = {};
  for (const name of KUBELET_LABELS) {
    const value = wanted.metadata.labels?.[name];
    if (value !== undefined && value !== existing.metadata.labels?.[name]) labels[name] = value;
  }
  const attach = wanted.metadata.annotations?.[ATTACH_ANNOTATION] ?? null;
  const attachDiffers = attach !== (existing.metadata.annotations?.[ATTACH_ANNOTATION] ?? null);
  if (Object.keys(labels).length === 0 && !attachDiffers) return undefined;
  return { labels, ...(attachDiffers ? { annotations: { [ATTACH_ANNOTATION]: attach } } : {}) };
}
