import type { Pod } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { ContainerConfig, ContainerStatus } from "#cri/container.ts";
import type { DnsConfig } from "#cri/pod-sandbox.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { PodResourcesRecord } from "./allocation/pod-resources-file.ts";
import type { PodCgroups } from "./cm/container-manager.ts";
import type { Handlers } from "./handlers/handlers.ts";
import type { ImageManager } from "./images/image-manager.ts";
import type { ContainerSecuritySettings, UserNamespace } from "./kuberuntime/security-context.ts";
import type { KubeletMetrics } from "./metrics/kubelet-metrics.ts";
import type { PodEnvironment } from "./pod-environment.ts";
import type { PodStatusWriter } from "./pod-status-writer.ts";
import type { ResizeProblem } from "./resize/pod-resizer.ts";
import type { VolumeManager } from "./volumes/volume-manager.ts";

/** What a pod worker uses of its node, real or simulated. */
export interface PodWorkerModules {
  readonly runtime: RuntimeService;
  /** As the runtime calls itself: `containerd`, `cri-o`. It stands before the ids of containers. */
  readonly runtimeName: string;
  readonly statusManager: PodStatusWriter;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  /** The node's addresses, of each family one, the first is `hostIP`. At least one. */
  readonly hostIps: readonly string[];
  /** Carries out probes and hooks. */
  readonly handlers: Handlers;
  /** What containers find in their environment. */
  readonly environment: PodEnvironment;
  readonly volumes: VolumeManager;
  readonly cgroups: PodCgroups;
  readonly images: ImageManager;
  /** What differs with the node in how sandboxes are made. Nothing when absent. */
  readonly sandboxes?: SandboxModules;
  /** Who containers are and what they may; as the runtime has it when absent. */
  readonly security?: SecurityModules;
  /** A container's last word, where the runtime does not tell it itself. */
  readonly terminationMessage?: (status: ContainerStatus) => Promise<string>;
  /** Adds to what a container is made of what only this node's runtime knows. `completes`: it is meant to end by itself. */
  readonly decorate?: (config: ContainerConfig, completes: boolean) => ContainerConfig;
  /** Why the node cannot give a pod other resources than it has; it can when absent. `later`: it does not know yet. */
  readonly resizeProblem?: (pod: Pod) => ResizeProblem | "later" | undefined;
  /** Where it stands after a restart what pods were given; as the API tells when absent. */
  readonly resizeRecord?: PodResourcesRecord;
  /** Counts what is started; nobody does when absent. */
  readonly counts?: Pick<KubeletMetrics, "startingContainer" | "containerFailed" | "synced" | "workerStarted" | "rejected">;
  /** Told when a pod could not be brought further; it is tried again. */
  readonly onSyncError?: (pod: Pod, error: unknown) => void;
  /** The longest delay before a container that ended starts again, in milliseconds; upstream's when absent. */
  readonly restartDelayMaxMs?: number;
  /** How often a pod is looked at although nothing happens, in milliseconds; never when absent. */
  readonly resyncMs?: number;
}

/** What of a real node counts for who containers are. */
export interface SecurityModules extends Pick<ContainerSecuritySettings, "seccompRoot" | "seccompDefault" | "cpuPaths"> {
  /** The user namespace of a pod that has one of its own. */
  readonly userNamespaceOf?: (pod: Pod) => UserNamespace | undefined;
  /** Groups that own persistent volumes of the pod. */
  readonly extraGroupsOf?: (pod: Pod) => readonly number[];
}

/** What a real node adds to its sandboxes. */
export interface SandboxModules {
  /** Why pods get no network of their own now; undefined: they do. */
  readonly networkProblem: () => string | undefined;
  /** Where the logs of pods are. */
  readonly podLogsDir: string;
  readonly clusterDomain: string;
  /** What stands in `resolv.conf`. */
  readonly dns: (pod: Pod) => Promise<DnsConfig>;
  /** The handler of a pod's RuntimeClass; empty for none. Rejects when the class is not there. */
  readonly runtimeHandler: (pod: Pod) => Promise<string>;
  /** Makes the folder for a pod's logs; before its sandbox. */
  readonly makeLogFolder: (path: string) => Promise<void>;
  /** Removes it; when the pod is gone. */
  readonly removeLogFolder: (path: string) => Promise<void>;
  /** A container was started whose log is at `path`. */
  readonly linkLog: (pod: Pod, container: string, containerId: string, path: string) => Promise<void>;
}
