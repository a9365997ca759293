import type { Pod } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityValue } from "#apimachinery/resource/quantity.ts";
import { realClock } from "#base/clock.ts";
import { realFolderWatcher } from "#base/folder-watcher.ts";
import { realHostFiles } from "#base/host-files.ts";
import { systemRandom } from "#base/random.ts";
import type { RuntimeHandler } from "#cri/runtime-status.ts";
import { loadPodResources } from "#kubelet/allocation/pod-resources-file.ts";
import { Kubelet } from "#kubelet/kubelet.ts";
import { hotCpuPaths } from "#kubelet/kuberuntime/proc-paths.ts";
import { allocatableOf } from "#kubelet/nodestatus/capacity.ts";
import type { Rejection } from "#kubelet/pod-admission.ts";
import type { HostVolumes } from "#kubelet/volumes/host-volumes.ts";
import type { Basis } from "./basis.ts";
import { decodeManifest } from "./manifest-pods.ts";
import type { OwnNode } from "./node.ts";
import { dnsOf, foldersOf, imageManagerOf, refusalOf, volumesOf } from "./parts.ts";
import type { Started } from "./started.ts";
import { startUpkeep } from "./upkeep.ts";

/** Of a runtime that is too old to tell. */
const NO_FEATURES: RuntimeHandler = { name: "", recursiveReadOnlyMounts: false, userNamespaces: false };
/** How long a manifest's server may take to answer, in milliseconds. */
const MANIFEST_TIMEOUT_MS = 10_000;

/** The kubelet with its volumes. */
export interface Agent {
  readonly agent: Kubelet;
  readonly volumes: HostVolumes;
  /** Why pods are not taken on, asked one after the other. */
  readonly refusals: ((pod: Pod) => Rejection | undefined)[];
}

/** Starts the kubelet itself on what is known of the machine. */
export async function startAgent(basis: Basis): Promise<Agent> {
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
export function keepUp(basis: Basis, { agent, volumes, refusals }: Agent, started: Started): void {
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

async function fetchManifest(
  url: string,
  headers: Readonly<Record<string, readonly string[]>>,
): Promise<{ statusCode: number; statusText: string; text: string }> {
  const lines = Object.entries(headers).flatMap(([name, values]) => values.map((value): [string, string] => [name, value]));
  const answer = await fetch(url, { headers: lines, signal: AbortSignal.timeout(MANIFEST_TIMEOUT_MS) });
  return { statusCode: answer.status, statusText: answer.statusText, text: await answer.text() };
}
