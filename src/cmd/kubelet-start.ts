import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { hostname } from "node:os";
import type { Duplex } from "node:stream";
import type { Pod } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityValue } from "#apimachinery/resource/quantity.ts";
import { realClock } from "#base/clock.ts";
import { realFolderWatcher } from "#base/folder-watcher.ts";
import { realHostFiles } from "#base/host-files.ts";
import { systemRandom } from "#base/random.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { bridgeName } from "#cni/bridge-network.ts";
import { writeNodeNetwork } from "#cni/node-network.ts";
import { FlagError } from "#component-base/flags.ts";
import type { Logger } from "#component-base/logging.ts";
import type { RuntimeHandler } from "#cri/runtime-status.ts";
import { loadPodResources } from "#kubelet/allocation/pod-resources-file.ts";
import type { ContainerManager } from "#kubelet/cm/container-manager.ts";
import type { AmountTexts } from "#kubelet/configuration/kubelet-configuration.ts";
import { Kubelet } from "#kubelet/kubelet.ts";
import { kubeletServerHost } from "#kubelet/kubelet-server-host.ts";
import { hotCpuPaths } from "#kubelet/kuberuntime/proc-paths.ts";
import { hostLogFiles } from "#kubelet/logs/host-log-files.ts";
import { KubeletMetrics } from "#kubelet/metrics/kubelet-metrics.ts";
import { meteredImages, meteredRuntime } from "#kubelet/metrics/metered-services.ts";
import { shutdownGroups } from "#kubelet/nodeshutdown/shutdown-groups.ts";
import { allocatableOf, capacityOf } from "#kubelet/nodestatus/capacity.ts";
import type { MachineInfo } from "#kubelet/nodestatus/machine.ts";
import type { Rejection } from "#kubelet/pod-admission.ts";
import type { HostVolumes } from "#kubelet/volumes/host-volumes.ts";
import { readFeatureGates } from "./feature-gates.ts";
import { type KubeletApi, kubeletApi } from "./kubelet-api.ts";
import { hostCgroups } from "./kubelet-cgroups.ts";
import { type CompleteConfiguration, completeConfiguration } from "./kubelet-configuration-file.ts";
import { configurationOfFlags } from "./kubelet-configuration-flags.ts";
import type { KubeletFlags } from "./kubelet-flags.ts";
import { hostMachine } from "./kubelet-machine.ts";
import { type NodeMakeUp, OwnNode } from "./kubelet-node.ts";
import { dnsOf, foldersOf, imageManagerOf, recorderOf, refusalOf, volumesOf } from "./kubelet-parts.ts";
import { openKubeletPorts } from "./kubelet-ports.ts";
import { connectRuntime, type NodeRuntime } from "./kubelet-runtime.ts";
import { KeptServing } from "./kubelet-serving.ts";
import { holdShutdown } from "./kubelet-shutdown.ts";
import { hostCadvisor, hostStats } from "./kubelet-stats.ts";
import { tellUnheeded } from "./kubelet-unheeded.ts";
import { startUpkeep } from "./kubelet-upkeep.ts";
import { decodeManifest } from "./manifest-pods.ts";
import { StartupError } from "./startup-error.ts";

/** Of a runtime that is too old to tell. */
const NO_FEATURES: RuntimeHandler = { name: "", recursiveReadOnlyMounts: false, userNamespaces: false };
/** Flags that say who may ask the kubelet. */
const WHO_MAY_ASK = ["anonymous-auth", "authorization-mode", "authentication-token-webhook", "client-ca-file"];
/** How long a manifest's server may take to answer, in milliseconds. */
const MANIFEST_TIMEOUT_MS = 10_000;

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

/** A kubelet that runs. */
export interface RunningKubelet {
  readonly nodeName: string;
  /** `containerd://1.7.24`. */
  readonly runtime: string;
  /** Ends it; containers go on. */
  close(): Promise<void>;
}

/** What was started, to be closed in the other order. */
class Started {
  readonly #closers: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closers.unshift(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }
}

/** What is known of the machine before any pod runs. */
interface Basis extends CompleteConfiguration {
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

/** The kubelet with its volumes. */
interface Agent {
  readonly agent: Kubelet;
  readonly volumes: HostVolumes;
  /** Why pods are not taken on, asked one after the other. */
  readonly refusals: ((pod: Pod) => Rejection | undefined)[];
}

/** Starts the node agent of this machine. Resolves when it looks after its pods and its ports are open. */
export async function startKubelet(start: KubeletStart): Promise<RunningKubelet> {
  const started = new Started();
  try {
    const basis = await findBasis(start, started);
    const running = await startAgent(basis);
    started.add(() => running.agent.close());
    await openPorts(basis, running, started);
    keepUp(basis, running, started);
    const { nodeName, runtime, api, configuration, node } = basis;
    const reporter = api === undefined ? undefined : node.report(api.client);
    if (reporter !== undefined) started.add(() => reporter.close());
    if (start.ownsProcess) await awaitShutdown(basis, running.agent, async () => reporter?.sync(), started);
    start.logger.info({ node: nodeName, port: configuration.port, server: api?.address.server }, "kubelet runs");
    return { nodeName, runtime: runtime.name, close: () => started.close() };
  } catch (error) {
    await started.close();
    throw error;
  }
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

async function findBasis(start: KubeletStart, started: Started): Promise<Basis> {
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

async function startAgent(basis: Basis): Promise<Agent> {
  const { start, configuration, nodeName, runtime, api, containers, node, recorder, metrics } = basis;
  const rootDir = start.flags["root-dir"];
  const client = api?.client;
  const images = imageManagerOf(runtime.images, recorder, client, metrics, configuration);
  let agent: Kubelet | undefined;
  // What a RuntimeClass is called is mostly what its handler is called.
  const handlerOf = ({ spec }: Pod): RuntimeHandler => {
    const all = agent?.health.handlers ?? [];
    const named = all.find(({ name }) => name === spec.runtimeClassName);
    return named ?? all.find(({ name }) => name === "") ?? NO_FEATURES;
  };
  const own = (): ReturnType<OwnNode["own"]> => node.own();
  const volumes = await volumesOf({
    rootDir,
    client,
    configuration,
    containers,
    node: own,
    images,
    handlerOf,
    recorder,
    metrics,
  });
  const dns = dnsOf(configuration, { nodeName, nodeIps: node.hostIps }, recorder);
  await dns.check();
  const refusals = [await refusalOf(configuration, realHostFiles)];
  agent = await Kubelet.start({
    nodeName,
    client,
    runtime: runtime.runtime,
    volumes,
    containers,
    images,
    config: configuration,
    hostIps: node.hostIps,
    ownNode: own,
    dns: (pod) => dns.configOf(pod),
    security: {
      seccompRoot: foldersOf(rootDir).seccomp,
      seccompDefault: configuration.seccompDefault,
      cpuPaths: await hotCpuPaths(realHostFiles),
      userNamespaceOf: (pod) => volumes.userNamespaceOf(pod),
      extraGroupsOf: ({ metadata }) => volumes.extraGroups(metadata.uid ?? ""),
    },
    refuse: (pod) => refusals.reduce<Rejection | undefined>((found, refusal) => found ?? refusal(pod), undefined),
    decodeManifest,
    fetchManifest,
    files: realHostFiles,
    watchFolder: realFolderWatcher,
    resizeRecord: await loadPodResources(realHostFiles, rootDir),
    metrics,
    clock: realClock,
    random: systemRandom,
    logger: start.logger,
  });
  const started = agent;
  basis.pulls.onPull = (uid, seconds) => started.pulled(uid, seconds);
  return { agent, volumes, refusals };
}

/** Keeps the node tidy, and pods off it while it runs short. */
function keepUp(basis: Basis, { agent, volumes, refusals }: Agent, started: Started): void {
  const { start, configuration, nodeName, runtime, capacity, node, recorder, metrics } = basis;
  const upkeep = startUpkeep({
    agent,
    nodeName,
    rootDir: start.flags["root-dir"],
    configuration,
    runtime: runtime.runtime,
    images: runtime.images,
    volumeStats: (pod) => volumes.stats(pod),
    podsMemoryMax: quantityValue(parseQuantity(allocatableOf(capacity, configuration, true).memory ?? 0)),
    recorder,
    metrics,
    logger: start.logger,
  });
  started.add(() => upkeep.close());
  refusals.push((pod) => upkeep.evictions.refusal(pod));
  node.watch(agent.health, () => upkeep.evictions.pressures());
}

async function openPorts(basis: Basis, { agent, volumes }: Agent, started: Started): Promise<void> {
  const { start, configuration, fromFile, nodeName, runtime, api, node, metrics } = basis;
  const { flags, given, isFormer, logger } = start;
  const client = api?.client;
  const serving = await KeptServing.start({
    configuration,
    certDir: flags["cert-dir"],
    nodeName,
    hostname: nodeName,
    addresses: () => node.addresses(),
    client,
    logger,
  });
  started.add(() => serving.close());
  const host = kubeletServerHost(agent, {
    nodeName,
    runtime: runtime.runtime,
    logFiles: hostLogFiles({ files: realHostFiles, watchFolder: realFolderWatcher, clock: realClock }),
    startedAtMs: realClock.now(),
    volumeStats: (pod) => volumes.stats(pod),
    dialStreaming: (url) => dial(url.hostname, Number(url.port)),
  });
  const ports = await openKubeletPorts({
    configuration,
    host: {
      ...host,
      ...hostStats(flags["root-dir"], runtime.images),
      ...(await hostCadvisor(configuration.cgroupRoot ?? "", runtime.runtime)),
      configuration,
      metrics,
      certificates: { client: api?.certificate, server: serving.issued },
      checkpointDir: foldersOf(flags["root-dir"]).checkpoints,
    },
    serving,
    client,
    address: api?.address,
    isFormer,
    saysWhoMayAsk: fromFile || WHO_MAY_ASK.some((name) => given.has(name)),
    saysReadOnlyPort: fromFile || given.has("read-only-port"),
    logger,
  });
  started.add(() => ports.close());
}

/** Ends pods in time when the machine goes down, where the configuration asks for it. */
async function awaitShutdown(
  { start, configuration, node }: Basis,
  agent: Kubelet,
  tell: () => Promise<void>,
  started: Started,
): Promise<void> {
  const { logger } = start;
  const groups = shutdownGroups(configuration);
  const periodMs = groups.reduce((sum, { graceSeconds }) => sum + graceSeconds * 1000, 0);
  const onShutdown = async (): Promise<void> => {
    node.shutDown();
    await Promise.all([tell(), agent.shutDown()]);
  };
  try {
    const held = await holdShutdown({ periodMs, onShutdown, logger });
    started.add(() => held.close());
  } catch (error) {
    logger.warn({ err: error }, "a shutdown of the machine will not be held up");
  }
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

async function fetchManifest(
  url: string,
  headers: Readonly<Record<string, readonly string[]>>,
): Promise<{ statusCode: number; statusText: string; text: string }> {
  const lines = Object.entries(headers).flatMap(([name, values]) => values.map((value): [string, string] => [name, value]));
  const answer = await fetch(url, { headers: lines, signal: AbortSignal.timeout(MANIFEST_TIMEOUT_MS) });
  return { statusCode: answer.status, statusText: answer.statusText, text: await answer.text() };
}

function dial(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => resolve(socket));
    socket.once("error", reject);
  });
}
