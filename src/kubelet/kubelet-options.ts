import type { Node, Pod } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { FolderWatcher } from "#base/folder-watcher.ts";
import type { HostFiles } from "#base/host-files.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import type { Logger } from "#component-base/logging.ts";
import type { DnsConfig } from "#cri/pod-sandbox.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { PodResourcesRecord } from "./allocation/pod-resources-file.ts";
import type { ContainerManager } from "./cm/container-manager.ts";
import type { FetchManifest } from "./config/http-source.ts";
import type { KubeletConfiguration } from "./configuration/kubelet-configuration.ts";
import type { ImageManager } from "./images/image-manager.ts";
import type { Sources } from "./inside/sources.ts";
import type { KubeletMetrics } from "./metrics/kubelet-metrics.ts";
import type { Rejection } from "./pod-admission.ts";
import type { SecurityModules } from "./pod-worker-modules.ts";
import type { VolumeManager } from "./volumes/volume-manager.ts";

/** What a {@link Kubelet} is made of. */
export interface KubeletOptions {
  readonly nodeName: string;
  /** Undefined: standalone, with static pods only. */
  readonly client: Client | undefined;
  readonly runtime: RuntimeService;
  readonly volumes: VolumeManager;
  readonly containers: ContainerManager;
  readonly images: ImageManager;
  readonly config: KubeletConfiguration;
  /** The node's addresses, of each family one. At least one. */
  readonly hostIps: readonly string[];
  /** The Node as this machine would register it, while the API does not tell of it. */
  readonly ownNode: () => Node | undefined;
  /** What containers refer to; read through `client` when absent. */
  readonly sources?: Sources;
  /** What stands in a pod's `resolv.conf`. */
  readonly dns: (pod: Pod) => Promise<DnsConfig>;
  readonly security: SecurityModules;
  /** Why this machine cannot give a pod what it asks for; it takes all pods when absent. */
  readonly refuse?: (pod: Pod) => Rejection | undefined;
  /** The pods of a manifest, with their defaults and valid. Throws for what is none. */
  readonly decodeManifest: (text: string) => readonly Pod[];
  readonly fetchManifest: FetchManifest;
  readonly files: HostFiles;
  readonly watchFolder: FolderWatcher;
  /** Where log collectors look; `/var/log/containers` when absent. */
  readonly containerLogsDir?: string;
  /** Where it stands after a restart what pods were given; as the API tells when absent. */
  readonly resizeRecord?: PodResourcesRecord;
  /** Counts what it does; nobody does when absent. */
  readonly metrics?: KubeletMetrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}
