import type { NodeAddress, NodeStatus } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { NODE_FEATURES_OF_UPDATES } from "#component-helpers/node/declared-features.ts";
import type { Image } from "#cri/image-service.ts";
import type { RuntimeStatus, RuntimeVersion } from "#cri/runtime-status.ts";
import type { AmountTexts } from "../configuration/kubelet-configuration.ts";
import { KUBELET_VERSION } from "../node-object.ts";
import { nextConditions, type Pressures } from "./conditions.ts";
import type { MachineInfo } from "./machine.ts";

/** Names that are told of one image (upstream's `MaxNamesPerImageInNodeStatus`). */
const NAMES_PER_IMAGE_MAX = 5;

/** What was found out of a node. */
export interface NodeFacts {
  readonly nodeName: string;
  readonly nowMs: number;
  readonly machine: MachineInfo;
  readonly capacity: AmountTexts;
  readonly allocatable: AmountTexts;
  /** None where they cannot be found out: those that are known stay. */
  readonly addresses: readonly NodeAddress[] | undefined;
  readonly kubeletPort: number;
  readonly runtime: { readonly version: RuntimeVersion | undefined; readonly status: RuntimeStatus | undefined };
  readonly images: readonly Image[];
  /** -1 for all. */
  readonly imagesMax: number;
  readonly pressures: Pressures;
  /** Why no pods can be run. */
  readonly problems: readonly string[];
  readonly countsDisk: boolean;
  readonly volumesInUse: readonly string[];
}

/** Something to be told as an event of the node. */
export interface NodeEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

/** A node's status from the one before (upstream's setters, in their order), and what of it is worth an event. */
export function nextStatus(
  before: NodeStatus | undefined,
  facts: NodeFacts,
): { readonly status: NodeStatus; readonly events: readonly NodeEvent[] } {
  const { nodeName, capacity, allocatable, machine, runtime, addresses, kubeletPort, volumesInUse } = facts;
  const required = ["cpu", "memory", "pods", ...(facts.countsDisk ? ["ephemeral-storage"] : [])];
  const { conditions, events } = nextConditions(before?.conditions ?? [], { ...facts, required });
  const { version, status: runtimeStatus } = runtime;
  const { handlers = [], supplementalGroupsPolicy } = runtimeStatus ?? {};
  const status = {
    ...before,
    // What others added, such as a device plugin's or an administrator's, stays.
    capacity: { ...extended(before?.capacity), ...capacity },
    allocatable: { ...extended(before?.allocatable), ...allocatable },
    conditions,
    ...(addresses === undefined ? {} : { addresses }),
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.systemUuid,
      bootID: machine.bootId,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: version === undefined ? "://Unknown" : `${version.runtimeName}://${version.runtimeVersion}`,
      kubeletVersion: KUBELET_VERSION,
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: machine.architecture,
      ...(machine.swapBytes === 0 ? {} : { swap: { capacity: machine.swapBytes } }),
    },
    images: imagesOf(facts),
    ...(volumesInUse.length === 0 ? { volumesInUse: undefined } : { volumesInUse }),
    ...(handlers.length === 0 ? {} : { runtimeHandlers: handlers.map(handlerOf) }),
    ...(supplementalGroupsPolicy === undefined ? {} : { features: { supplementalGroupsPolicy } }),
    declaredFeatures: Object.values(NODE_FEATURES_OF_UPDATES).sort(),
  };
  const told: NodeEvent[] = events.map((reason) => ({
    type: "Normal",
    reason,
    message: `Node ${nodeName} status is now: ${reason}`,
  }));
  const bootBefore = before?.nodeInfo?.bootID ?? "";
  if (bootBefore !== "" && bootBefore !== machine.bootId) {
    const message = `Node ${nodeName} has been rebooted, boot id: ${machine.bootId}`;
    told.unshift({ type: "Warning", reason: "Rebooted", message });
  }
  return { status: withoutUndefined(status) as NodeStatus, events: told };
}

/** Whether anything but the time of the last look is another (upstream's `nodeStatusHasChanged`). */
export function statusHasChanged(before: NodeStatus | undefined, after: NodeStatus): boolean {
  return !semanticEqual(withoutHeartbeats(before ?? {}), withoutHeartbeats(after));
}

/** As a strategic merge patch of the status that is there: amounts that are gone are taken out, addresses replaced. */
export function statusPatch(before: NodeStatus | undefined, after: NodeStatus): object {
  const amounts = (name: "capacity" | "allocatable"): object => ({
    ...Object.fromEntries(Object.keys(before?.[name] ?? {}).map((key) => [key, null])),
    ...after[name],
  });
  return {
    ...after,
    capacity: amounts("capacity"),
    allocatable: amounts("allocatable"),
    ...(after.addresses === undefined ? {} : { addresses: [...after.addresses, { $patch: "replace" }] }),
    volumesInUse: after.volumesInUse ?? null,
    // What controllers attached is theirs to say.
    volumesAttached: undefined,
  };
}

function imagesOf({ images, imagesMax }: NodeFacts): readonly object[] {
  const bySize = [...images].sort((a, b) => b.sizeBytes - a.sizeBytes);
  return bySize.slice(0, imagesMax < 0 ? undefined : imagesMax).map(({ repoDigests, repoTags, sizeBytes }) => ({
    names: [...repoDigests, ...repoTags].slice(0, NAMES_PER_IMAGE_MAX),
    sizeBytes,
  }));
}

function handlerOf({ name, recursiveReadOnlyMounts, userNamespaces }: RuntimeStatus["handlers"][number]): object {
  return { name, features: { recursiveReadOnlyMounts, userNamespaces } };
}

/** Resources with a domain of their own, which kubelets do not measure. */
function extended(amounts: NodeStatus["capacity"]): object {
  const entries = Object.entries(amounts ?? {});
  return Object.fromEntries(entries.filter(([name]) => name.includes("/") && !/(^|\.)kubernetes\.io\//.test(name)));
}

function withoutHeartbeats({ conditions = [], ...rest }: NodeStatus): object {
  return { ...rest, conditions: conditions.map((one) => ({ ...one, lastHeartbeatTime: undefined })) };
}

function withoutUndefined(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
