import { mkdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { realClock } from "#base/clock.ts";
import { realHostFiles } from "#base/host-files.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { bridgeName } from "#cni/bridge-network.ts";
import { writeNodeNetwork } from "#cni/node-network.ts";
import { FlagError } from "#component-base/flags.ts";
import type { Logger } from "#component-base/logging.ts";
import type { ContainerManager } from "#kubelet/cm/container-manager.ts";
import type { AmountTexts } from "#kubelet/configuration/kubelet-configuration.ts";
import { KubeletMetrics } from "#kubelet/metrics/kubelet-metrics.ts";
import { meteredImages, meteredRuntime } from "#kubelet/metrics/metered-services.ts";
import { allocatableOf, capacityOf } from "#kubelet/nodestatus/capacity.ts";
import type { MachineInfo } from "#kubelet/nodestatus/machine.ts";
import { readFeatureGates } from "../flags/feature-gates.ts";
import { StartupError } from "../startup-error.ts";
import { type KubeletApi, kubeletApi } from "./api.ts";
import { hostCgroups } from "./cgroups.ts";
import { type CompleteConfiguration, completeConfiguration } from "./configuration-file.ts";
import { configurationOfFlags } from "./configuration-flags.ts";
import type { KubeletFlags } from "./flags.ts";
import { hostMachine } from "./machine.ts";
import { type NodeMakeUp, OwnNode } from "./node.ts";
import { recorderOf } from "./parts.ts";
import { connectRuntime, type NodeRuntime } from "./runtime.ts";
import type { Started } from "./started.ts";
import { tellUnheeded } from "./unheeded.ts";

/** How a kubelet is started. */
export interface KubeletStart {
  readonly flags: KubeletFlags & Readonly<Record<string, unknown>>;
  /** Names of the flags that were given. */
  readonly given: ReadonlySet<string>;
  /** Whether it is called as in former years: its guides read from a port that is open unasked. */
  readonly isFormer: boolean;
  readonly logger: Logger;
  /** Ends what a start waits for. */
  readonly signal: AbortSignal;
  /** Whether the process is the kubelet alone. */
  readonly ownsProcess: boolean;
}

/** What is known of the machine before any pod runs. */
export interface Basis extends CompleteConfiguration {
  readonly start: KubeletStart;
  readonly nodeName: string;
  readonly runtime: NodeRuntime;
  readonly api: KubeletApi | undefined;
  readonly containers: ContainerManager;
  readonly capacity: AmountTexts;
  readonly node: OwnNode;
  readonly recorder: EventRecorder;
  readonly metrics: KubeletMetrics;
  readonly pulls: Pulls;
}

/** Who is told of pulls of images: nobody before there is a kubelet. */
interface Pulls {
  onPull: (podUid: string, seconds: number) => void;
}

/** Looks at the machine and connects what is there before any pod runs: configuration, runtime, API, cgroups, node. */
export async function findBasis(start: KubeletStart, started: Started): Promise<Basis> {
  const { flags, logger, signal } = start;
  const { configuration, fromFile } = await configurationOf(start);
  const info = await hostMachine.info();
  if (configuration.failSwapOn) refuseSwap(info);
  if (start.ownsProcess) await rankProcess(configuration.oomScoreAdj, logger);
  const nodeName = nodeNameOf(flags["hostname-override"]);
  const rootDir = flags["root-dir"];
  await mkdir(rootDir, { recursive: true, mode: 0o750 });
  const connected = await connectRuntime(configuration, logger);
  started.add(() => connected.close());
  const metrics = new KubeletMetrics();
  const pulls: Pulls = { onPull: () => {} };
  const runtime: NodeRuntime = {
    ...connected,
    runtime: meteredRuntime(connected.runtime, metrics, realClock),
    images: meteredImages(connected.images, metrics, realClock, (uid, seconds) => pulls.onPull(uid, seconds)),
  };
  const cloud = flags["cloud-provider"];
  if (cloud !== "" && cloud !== "external")
    throw new FlagError(`flag --cloud-provider takes external or nothing, not "${cloud}"`);
  const rotate = configuration.rotateCertificates ?? false;
  const api = await kubeletApi({ flags, nodeName, rotate, logger, signal });
  if (api === undefined) logger.info({}, "there is no API server: only the pods of manifests are run");
  else started.add(() => api.close());
  const disk = await hostMachine.fileSystem(rootDir);
  const capacity = capacityOf(info, disk.capacityBytes, configuration);
  const ignoresEviction = flags["experimental-allocatable-ignore-eviction"];
  const allocatable = allocatableOf(capacity, configuration, ignoresEviction);
  const containers = await hostCgroups({ configuration, info, capacity, allocatable, runtime: runtime.runtime, metrics, logger });
  const node = await OwnNode.find({
    flags,
    configuration,
    nodeName,
    machine: hostMachine,
    info,
    capacity: () => containers.capacity(),
    allocatable: () => containers.allocatable(),
    runtime: runtime.runtime,
    images: runtime.images,
    kubeletPort: configuration.port,
    ...nodeNetwork(start, nodeName),
    logger,
  });
  const recorder = recorderOf(api?.client, nodeName, logger);
  return { start, configuration, fromFile, nodeName, runtime, api, containers, capacity, node, recorder, metrics, pulls };
}

/** Kubenet, of former years: a bridge with the node's own range, for which nobody needs to configure the runtime. */
function nodeNetwork({ flags, logger }: KubeletStart, nodeName: string): Pick<NodeMakeUp, "giveNetwork"> {
  const { "network-plugin": plugin, "network-plugin-mtu": mtu } = flags as Readonly<Record<string, unknown>>;
  if (plugin !== "kubenet") return {};
  const bridge = { bridge: bridgeName(nodeName), masquerade: true, ...(typeof mtu === "number" && mtu > 0 && { mtu }) };
  return {
    giveNetwork: async (podCidrs) => {
      const done = await writeNodeNetwork(realHostFiles, { podCidrs, ...bridge });
      logger.info({ podCidrs, bridge: bridge.bridge, ...done }, "pods have a network of this node");
    },
  };
}

async function configurationOf({ flags, given, logger }: KubeletStart): Promise<CompleteConfiguration> {
  const ofFlags = configurationOfFlags(flags, given);
  const complete = await completeConfiguration({ config: flags.config, configDir: flags["config-dir"] }, ofFlags);
  const gates = Object.entries(complete.configuration.featureGates ?? {}).map(([name, on]) => `${name}=${on}`);
  readFeatureGates(gates, logger);
  tellUnheeded(complete.configuration, logger);
  const { staticPodPath } = complete.configuration;
  if (flags.config !== "" && staticPodPath === flags.config) {
    logger.info({ flag: "--config", path: staticPodPath }, "these are manifests, as of --pod-manifest-path");
  }
  return complete;
}

/** The node's name: `--hostname-override`, else the machine's, without spaces around it and in small letters, as upstream's `GetHostname`. */
export function nodeNameOf(override: string): string {
  const name = (override || hostname()).trim().toLowerCase();
  if (name === "") throw new StartupError("empty hostname is invalid: name the node by --hostname-override");
  return name;
}

function refuseSwap({ swapBytes }: MachineInfo): void {
  if (swapBytes === 0) return;
  throw new StartupError("running with swap on is not supported, please disable swap or set --fail-swap-on flag to false");
}

/** `--oom-score-adj`: when memory is short the kernel ends others first. */
async function rankProcess(score: number, logger: Logger): Promise<void> {
  await writeFile("/proc/self/oom_score_adj", String(score)).catch((error: unknown) => {
    logger.info({ why: (error as Error).message, score }, "the kernel does not let this process have its rank");
  });
}
