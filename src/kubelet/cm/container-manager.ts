import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { LinuxContainerResources } from "#cri/linux-config.ts";
import type { Amounts } from "../inside/resource-values.ts";

/** What a pod worker uses of {@link ContainerManager}. */
export interface PodCgroups {
  /** Makes or updates the pod's cgroup; gives the `cgroupParent` of its sandbox, empty where cgroups are not managed. */
  ensurePodCgroup(pod: Pod): Promise<string>;
  /** Can be repeated. Call it when nothing of the pod runs any more. */
  removePodCgroup(podUid: string): Promise<void>;
  /** Pure: what the runtime is told for a container (upstream's `generateLinuxContainerResources`). Undefined: nothing. */
  containerResources(pod: Pod, container: Container): LinuxContainerResources | undefined;
}

/** The cgroups of a node, and what it has to give (upstream's `cm.ContainerManager`). */
export interface ContainerManager extends PodCgroups {
  start(): Promise<void>;
  /** Removes what earlier runs have left of pods that are not `known`; what still runs is left. */
  cleanUp(known: ReadonlySet<string>): Promise<void>;
  /** What the machine has. */
  capacity(): Amounts;
  /** What of it is for pods. */
  allocatable(): Amounts;
}
