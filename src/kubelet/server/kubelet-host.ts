import type { Duplex } from "node:stream";
import type { Pod } from "#api/generated/core/v1.ts";
import type { HostFiles } from "#base/host-files.ts";
import type { LogFiles } from "#cri/log-files.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { Cadvisor } from "../cadvisor/cadvisor.ts";
import type { KubeletConfiguration } from "../configuration/kubelet-configuration.ts";
import type { KubeletMetrics } from "../metrics/kubelet-metrics.ts";
import type { CpuRates } from "../stats/cpu-rates.ts";
import type { NodeStats } from "../stats/node-stats.ts";
import type { VolumeStats } from "../volumes/volume-stats.ts";
import type { KeptCertificate } from "./certificate-metrics.ts";

/** What a process can tell of its own work. */
export interface ProcessProfiles {
  /** What ran for how long; for so many seconds from now, as a text. */
  readonly cpu: (seconds: string | null) => Promise<string>;
  /** What memory is used for. */
  readonly heap: () => Promise<string>;
}

/** What a kubelet's server needs of its kubelet (upstream's `HostInterface`). */
export interface KubeletHost {
  readonly nodeName: string;
  readonly runtime: RuntimeService;
  readonly logFiles: LogFiles;
  /** When the kubelet began, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** The pods of this node, with their status as the kubelet knows it. */
  pods(): readonly Pod[];
  /** A connection to where a URL of the runtime's leads. */
  dialStreaming(url: URL): Promise<Duplex>;
  /** Whether pods are being looked after. */
  isSyncing(): boolean;
  /** What the kubelet goes by; upstream's defaults when absent. */
  readonly configuration?: KubeletConfiguration;
  /** What a pod's volumes take; they take nothing when absent. */
  readonly volumeStats?: (pod: Pod) => Promise<readonly VolumeStats[]>;
  /** What the machine uses; what its pods use when absent, as on a simulated node. */
  readonly nodeStats?: () => Promise<NodeStats>;
  /** Remembers processor time, for runtimes that tell its sum alone. */
  readonly rates?: CpuRates;
  /** What the kernel counts of cgroups; what the runtime tells alone when absent. */
  readonly cadvisor?: Cadvisor;
  /** The certificates that are kept valid. */
  readonly certificates?: { readonly client?: KeptCertificate | undefined; readonly server?: KeptCertificate | undefined };
  /** The image of the runtime's sandboxes; undefined where it does not tell. */
  readonly sandboxImage?: () => Promise<string | undefined>;
  /** The time, in milliseconds since the epoch. */
  readonly now?: () => number;
  /** How long a log file is, in bytes. */
  readonly logBytes?: (path: string) => Promise<number>;
  /** The node's own `/var/log`; logs of containers alone when absent. */
  readonly nodeLogFiles?: Pick<HostFiles, "open" | "readdir" | "realpath" | "stat">;
  /** Metrics of the process itself, in the text format of Prometheus. */
  readonly processMetrics?: () => string;
  /** What the kubelet has counted; nothing when absent. */
  readonly metrics?: KubeletMetrics;
  /** Profiles of the process, as texts of JSON; there are none when absent. */
  readonly profiles?: ProcessProfiles;
  /** Where checkpoints of containers are written; nowhere when absent. */
  readonly checkpointDir?: string;
}

/** A pod by its name. */
export function podByName(host: KubeletHost, namespace: string, name: string): Pod | undefined {
  return host.pods().find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
}

/** Whether a pod has a container of that name, of any kind. */
export function hasContainer({ spec }: Pod, name: string): boolean {
  const all = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
  return all.some((container) => container.name === name);
}

/** The container of a pod that runs, by its name; undefined when it does not. */
export async function runningContainer(host: KubeletHost, pod: Pod, uid: string, name: string): Promise<string | undefined> {
  if (uid !== "" && pod.metadata.uid !== uid) return undefined;
  const sandboxId = await readySandbox(host, pod);
  if (sandboxId === undefined) return undefined;
  const containers = await host.runtime.listContainers({ sandboxId });
  return containers.find(({ metadata, state }) => metadata.name === name && state === "CONTAINER_RUNNING")?.id;
}

/** The sandbox of a pod that is up. */
export async function readySandbox(host: KubeletHost, pod: Pod): Promise<string | undefined> {
  const sandboxes = await host.runtime.listPodSandbox();
  return sandboxes.find(({ metadata, state }) => metadata.uid === pod.metadata.uid && state === "SANDBOX_READY")?.id;
}
