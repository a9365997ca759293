import { mkdir, stat } from "node:fs/promises";
import { connect } from "node:net";
import { hostname } from "node:os";
import type { Duplex } from "node:stream";
import type { Pod } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { acquireFileLock } from "#base/file-lock.ts";
import { realFolderWatcher } from "#base/folder-watcher.ts";
import { realHostFiles } from "#base/host-files.ts";
import { systemRandom } from "#base/random.ts";
import { describeFlags, parseFlags } from "#component-base/flags.ts";
import type { Logger } from "#component-base/logging.ts";
import { findRuntimeSocket, NoRuntimeError } from "#cri/remote/endpoint.ts";
import type { RuntimeHandler } from "#cri/runtime-status.ts";
import type { KubeletConfiguration } from "#kubelet/configuration/kubelet-configuration.ts";
import { Kubelet } from "#kubelet/kubelet.ts";
import { kubeletServerHost } from "#kubelet/kubelet-server-host.ts";
import { hotCpuPaths } from "#kubelet/kuberuntime/proc-paths.ts";
import { hostLogFiles } from "#kubelet/logs/host-log-files.ts";
import { allocatableOf, capacityOf } from "#kubelet/nodestatus/capacity.ts";
import type { MachineInfo } from "#kubelet/nodestatus/machine.ts";
import { readFeatureGates } from "./feature-gates.ts";
import { givenFlags } from "./flag-specs.ts";
import { sayFormerFlags } from "./former-flags.ts";
import { kubeletApi } from "./kubelet-api.ts";
import { type CompleteConfiguration, completeConfiguration } from "./kubelet-configuration-file.ts";
import { configurationOfFlags } from "./kubelet-configuration-flags.ts";
import { formerKubeletFlags, type KubeletFlags, kubeletFlags } from "./kubelet-flags.ts";
import { hostMachine } from "./kubelet-machine.ts";
import { OwnNode } from "./kubelet-node.ts";
import {
  connectRuntime,
  containersOf,
  dnsOf,
  foldersOf,
  imageManagerOf,
  type NodeRuntime,
  recorderOf,
  refusalOf,
  volumesOf,
} from "./kubelet-parts.ts";
import { openKubeletPorts } from "./kubelet-ports.ts";
import { KeptServing } from "./kubelet-serving.ts";
import { loggerOf } from "./log-flags.ts";
import { decodeManifest } from "./manifest-pods.ts";
import { notifyReady } from "./notify-ready.ts";
import type { ProgramCall } from "./program-call.ts";
import { untilInterrupted } from "./signals.ts";
import { explainStartFailure, StartupError } from "./startup-error.ts";
import { printVersion } from "./version.ts";

const ABOUT = `The node agent: runs the pods of an API server and of manifests on this machine, by its container runtime.

Usage: kybern kubelet --kubeconfig=FILE [flags]

`;
/** Of a runtime that is too old to tell. */
const NO_FEATURES: RuntimeHandler = { name: "", recursiveReadOnlyMounts: false, userNamespaces: false };
/** Flags and fields that say who may ask the kubelet. */
const WHO_MAY_ASK = ["anonymous-auth", "authorization-mode", "authentication-token-webhook", "client-ca-file"];

/** `kybern kubelet`: the node agent of this machine. Runs until interrupted, and leaves pods running. */
export async function kubelet({ args, isHyperkube }: ProgramCall): Promise<void> {
  const parsed = parseFlags(kubeletFlags, args) as KubeletFlags & Readonly<Record<string, unknown>>;
  if (parsed.help) {
    process.stdout.write(`${ABOUT}${describeFlags(kubeletFlags)}\n`);
    return;
  }
  if (parsed.version) {
    printVersion();
    return;
  }
  const given = givenFlags(args);
  const logger = loggerOf("kubelet", parsed);
  sayFormerFlags(formerKubeletFlags, given, logger);
  const interrupted = untilInterrupted();
  const stopping = new AbortController();
  void interrupted.then(() => stopping.abort(new Error("the kubelet is stopping")));
  const call = { flags: parsed, given, isFormer: isHyperkube || given.has("api-servers"), logger, signal: stopping.signal };
  const lock = parsed["lock-file"] === "" ? undefined : await acquireFileLock(parsed["lock-file"]).catch(explain(parsed));
  try {
    const running = await start(call).catch(explain(parsed));
    await notifyReady(logger);
    await interrupted;
    logger.info({}, "the kubelet stops; pods go on");
    await running.close();
  } finally {
    await lock?.release();
  }
}

interface Call {
  readonly flags: KubeletFlags & Readonly<Record<string, unknown>>;
  readonly given: ReadonlySet<string>;
  /** As in former years. */
  readonly isFormer: boolean;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** What was started, last first. */
class Running {
  readonly #closers: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closers.unshift(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close();
  }
}

async function start(call: Call): Promise<Running> {
  const running = new Running();
  try {
    await startParts(call, running);
    return running;
  } catch (error) {
    await running.close();
    throw error;
  }
}

async function startParts(call: Call, running: Running): Promise<void> {
  const { flags, given, isFormer, logger, signal } = call;
  const { configuration, fromFile } = await configurationOf(call);
  const info = await hostMachine.info();
  refuseSwap(configuration, info);
  const nodeName = nodeNameOf(flags);
  const rootDir = flags["root-dir"];
  await mkdir(rootDir, { recursive: true, mode: 0o750 });
  const folders = foldersOf(rootDir);
  const { runtime, images } = await runtimeOf(configuration, running, logger);
  const rotate = configuration.rotateCertificates ?? false;
  const api = await kubeletApi({ flags, nodeName, rotate, logger, signal });
  if (api === undefined) logger.info({}, "there is no API server: only the pods of manifests are run");
  else running.add(() => api.close());
  const client = api?.client;
  const disk = await hostMachine.fileSystem(rootDir);
  const capacity = capacityOf(info, disk.capacityBytes, configuration);
  const allocatable = allocatableOf(capacity, configuration, flags["experimental-allocatable-ignore-eviction"]);
  const containers = containersOf(capacity, allocatable);
  const node = await OwnNode.find({
    flags,
    configuration,
    nodeName,
    machine: hostMachine,
    info,
    capacity: () => containers.capacity(),
    allocatable: () => containers.allocatable(),
    runtime,
    images,
    kubeletPort: configuration.port,
    logger,
  });
  const recorder = recorderOf(client, nodeName, logger);
  const imageManager = imageManagerOf(images, recorder);
  let agent: Kubelet | undefined;
  // What a RuntimeClass is called is mostly what its handler is called.
  const handlerOf = ({ spec }: Pod): RuntimeHandler => {
    const all = agent?.health.handlers ?? [];
    const named = all.find(({ name }) => name === spec.runtimeClassName);
    return named ?? all.find(({ name }) => name === "") ?? NO_FEATURES;
  };
  const volumes = await volumesOf({
    rootDir,
    client,
    configuration,
    containers,
    node: () => node.own(),
    images: imageManager,
    handlerOf,
    recorder,
  });
  const startedAtMs = realClock.now();
  const started = await Kubelet.start({
    nodeName,
    client,
    runtime,
    volumes,
    containers,
    images: imageManager,
    config: configuration,
    hostIps: node.hostIps,
    ownNode: () => node.own(),
    dns: dnsOf(configuration, node.hostIps, recorder),
    security: {
      seccompRoot: folders.seccomp,
      seccompDefault: configuration.seccompDefault,
      cpuPaths: await hotCpuPaths(realHostFiles),
      userNamespaceOf: (pod) => volumes.userNamespaceOf(pod),
      extraGroupsOf: ({ metadata }) => volumes.extraGroups(metadata.uid ?? ""),
    },
    refuse: await refusalOf(configuration, realHostFiles),
    decodeManifest,
    fetchManifest,
    files: realHostFiles,
    watchFolder: realFolderWatcher,
    clock: realClock,
    random: systemRandom,
    logger,
  });
  agent = started;
  running.add(() => started.close());
  const { health } = started;
  node.watch({
    get view() {
      return health.view;
    },
    runtimeProblems: () => health.runtimeProblems(),
  });
  const serving = await KeptServing.start({
    configuration,
    certDir: flags["cert-dir"],
    nodeName,
    hostname: nodeName,
    addresses: () => node.addresses(),
    client,
    logger,
  });
  running.add(() => serving.close());
  const host = kubeletServerHost(started, {
    nodeName,
    runtime,
    logFiles: hostLogFiles({ files: realHostFiles, watchFolder: realFolderWatcher }),
    startedAtMs,
    dialStreaming: (url) => dial(url.hostname, Number(url.port)),
  });
  const ports = await openKubeletPorts({
    configuration,
    host: { ...host, configuration, checkpointDir: folders.checkpoints },
    serving,
    client,
    address: api?.address,
    isFormer,
    saysWhoMayAsk: fromFile || WHO_MAY_ASK.some((name) => given.has(name)),
    saysReadOnlyPort: fromFile || given.has("read-only-port"),
    logger,
  });
  running.add(() => ports.close());
  if (client !== undefined) {
    const reporter = node.report(client);
    running.add(() => reporter.close());
  }
  logger.info({ node: nodeName, port: configuration.port, server: api?.address.server }, "kubelet runs");
}

async function configurationOf({ flags, given, logger }: Call): Promise<CompleteConfiguration> {
  const ofFlags = configurationOfFlags(flags, given);
  const complete = await completeConfiguration({ config: flags.config, configDir: flags["config-dir"] }, ofFlags);
  const gates = Object.entries(complete.configuration.featureGates ?? {}).map(([name, on]) => `${name}=${on}`);
  readFeatureGates(gates, logger);
  const { staticPodPath } = complete.configuration;
  if (flags.config !== "" && staticPodPath === flags.config) {
    logger.info({ flag: "--config", path: staticPodPath }, "these are manifests, as of --pod-manifest-path");
  }
  return complete;
}

/** Upstream's `GetHostname`: without spaces around it, in small letters. */
function nodeNameOf(flags: KubeletFlags): string {
  const name = (flags["hostname-override"] || hostname()).trim().toLowerCase();
  if (name === "") throw new StartupError("empty hostname is invalid: name the node by --hostname-override");
  return name;
}

function refuseSwap({ failSwapOn }: KubeletConfiguration, { swapBytes }: MachineInfo): void {
  if (!failSwapOn || swapBytes === 0) return;
  throw new StartupError("running with swap on is not supported, please disable swap or set --fail-swap-on flag to false");
}

async function runtimeOf(configuration: KubeletConfiguration, running: Running, logger: Logger): Promise<NodeRuntime> {
  const isSocket = (path: string): Promise<boolean> =>
    stat(path).then(
      (found) => found.isSocket(),
      () => false,
    );
  const socketPath = await findRuntimeSocket(configuration.containerRuntimeEndpoint, isSocket);
  const connected = connectRuntime(socketPath, configuration);
  running.add(() => connected.close());
  try {
    const { runtimeName, runtimeVersion } = await connected.runtime.version();
    logger.info({ runtime: `${runtimeName}://${runtimeVersion}`, socket: socketPath }, "the container runtime answers");
    return connected;
  } catch (error) {
    throw new StartupError((error as Error).message);
  }
}

async function fetchManifest(
  url: string,
  headers: Readonly<Record<string, readonly string[]>>,
): Promise<{ statusCode: number; statusText: string; text: string }> {
  const lines = Object.entries(headers).flatMap(([name, values]) => values.map((value): [string, string] => [name, value]));
  const answer = await fetch(url, { headers: lines, signal: AbortSignal.timeout(MANIFEST_TIMEOUT_MS) });
  return { statusCode: answer.status, statusText: answer.statusText, text: await answer.text() };
}

/** How long a manifest's server may take to answer. */
const MANIFEST_TIMEOUT_MS = 10_000;

function dial(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => resolve(socket));
    socket.once("error", reject);
  });
}

function explain(flags: KubeletFlags): (error: unknown) => never {
  return (error) => {
    if (error instanceof NoRuntimeError) throw new StartupError(error.message);
    return explainStartFailure(error, {
      dataDir: flags["root-dir"],
      dirFlag: "--root-dir",
      etcdServers: [],
      address: "",
      port: 0,
    });
  };
}
