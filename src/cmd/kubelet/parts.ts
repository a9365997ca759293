import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Node, Pod } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { type HostFiles, realHostFiles } from "#base/host-files.ts";
import { realProcessRunner } from "#base/process-runner.ts";
import { systemRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { createEventRecorder, type EventRecorder } from "#client/event-recorder.ts";
import type { Logger } from "#component-base/logging.ts";
import type { ImageService } from "#cri/image-service.ts";
import type { RuntimeHandler } from "#cri/runtime-status.ts";
import type { ContainerManager } from "#kubelet/cm/container-manager.ts";
import type { KubeletConfiguration } from "#kubelet/configuration/kubelet-configuration.ts";
import type { ImageManager } from "#kubelet/images/image-manager.ts";
import { PullManager } from "#kubelet/images/pull-manager.ts";
import { ClientSources, noSources } from "#kubelet/inside/sources.ts";
import { appArmorRejection } from "#kubelet/kuberuntime/security-profiles.ts";
import type { KubeletMetrics } from "#kubelet/metrics/kubelet-metrics.ts";
import { NodeDns } from "#kubelet/network-files/node-dns.ts";
import type { Rejection } from "#kubelet/pod-admission.ts";
import { PodCertificates } from "#kubelet/podcertificate/pod-certificates.ts";
import { SysctlAllowlist, safeSysctls } from "#kubelet/sysctl/allowlist.ts";
import { clientClaims } from "#kubelet/volumes/client-claims.ts";
import { HostVolumes } from "#kubelet/volumes/host-volumes.ts";
import { CommandMounter } from "#kubelet/volumes/mounter.ts";
import { TrustAnchors } from "#kubelet/volumes/trust-anchors.ts";

const KERNEL_RELEASE = "/proc/sys/kernel/osrelease";
const APP_ARMOR_ENABLED = "/sys/module/apparmor/parameters/enabled";

/** Tells events where there is an API server. */
export function recorderOf(client: Client | undefined, nodeName: string, logger: Logger): EventRecorder {
  if (client === undefined) return { event: () => {}, flush: async () => {} };
  const common = { clock: realClock, random: systemRandom, component: "kubelet", reportingInstance: nodeName, logger };
  return createEventRecorder({ ...common, client, api: "core" });
}

/** Brings images. */
export function imageManagerOf(
  images: ImageService,
  recorder: EventRecorder,
  client: Client | undefined,
  metrics: KubeletMetrics,
  { serializeImagePulls, maxParallelImagePulls, registryPullQPS, registryBurst }: KubeletConfiguration,
): ImageManager {
  const sources = client === undefined ? noSources : new ClientSources({ client, clock: realClock });
  return new PullManager({
    images,
    recorder,
    metrics,
    clock: realClock,
    secret: (namespace, name) => sources.secret(namespace, name),
    serialize: serializeImagePulls,
    parallelMax: maxParallelImagePulls,
    perSecond: registryPullQPS,
    burst: registryBurst,
  });
}

/** What the volumes of a node are made with. */
export interface VolumesRequest {
  readonly rootDir: string;
  readonly client: Client | undefined;
  readonly configuration: KubeletConfiguration;
  readonly containers: ContainerManager;
  readonly node: () => Node | undefined;
  readonly images: ImageManager;
  /** The runtime's handler for a pod. */
  readonly handlerOf: (pod: Pod) => RuntimeHandler;
  readonly recorder: EventRecorder;
  readonly metrics: KubeletMetrics;
}

/** The volumes of this machine. */
export async function volumesOf(request: VolumesRequest): Promise<HostVolumes> {
  const { rootDir, client, configuration, containers, node, images, handlerOf, recorder, metrics } = request;
  const read = client === undefined ? undefined : new ClientSources({ client, clock: realClock });
  const sources =
    client === undefined || read === undefined
      ? undefined
      : {
          configMap: read.configMap.bind(read),
          secret: read.secret.bind(read),
          token: read.token.bind(read),
          ...clientClaims({ client, node }),
        };
  const common = { clock: realClock, random: systemRandom };
  const { idsPerPod } = configuration.userNamespaces ?? {};
  return HostVolumes.start({
    root: rootDir,
    files: realHostFiles,
    mounter: new CommandMounter({ files: realHostFiles, runner: realProcessRunner }),
    ...common,
    processId: process.pid,
    allocatable: () => containers.allocatable(),
    sources,
    ...(client === undefined
      ? {}
      : {
          trustAnchors: new TrustAnchors({ ...common, client }),
          certificates: new PodCertificates({ ...common, client, recorder, node }),
        }),
    clusterDomain: configuration.clusterDomain ?? "",
    handlerOf,
    imageOf: async (pod, { reference, pullPolicy }) => {
      const container = { name: "", image: reference, imagePullPolicy: pullPolicy };
      const mounted = metrics.imageVolume();
      const answer = await images.ensureImage(pod, container);
      mounted("imageId" in answer);
      if ("imageId" in answer) return { image: answer.imageId, userSpecifiedImage: reference };
      throw new Error(`${answer.reason}: ${answer.message}`);
    },
    counts: metrics,
    tmpfsNoswap: await hasTmpfsNoswap(),
    ...(idsPerPod === undefined ? {} : { userIds: { idsPerPod } }),
  });
}

/** Why this machine does not take a pod that asks for settings of the kernel, or for AppArmor. */
export async function refusalOf(
  { allowedUnsafeSysctls = [] }: KubeletConfiguration,
  files: Pick<HostFiles, "readFile">,
): Promise<(pod: Pod) => Rejection | undefined> {
  const read = (path: string): Promise<string> => files.readFile(path, "utf8").catch(() => "");
  const allowlist = new SysctlAllowlist([...safeSysctls(await read(KERNEL_RELEASE)), ...allowedUnsafeSysctls]);
  const hasAppArmor = (await read(APP_ARMOR_ENABLED)).startsWith("Y");
  return (pod) => allowlist.rejectionOf(pod) ?? appArmorRejection(pod, hasAppArmor);
}

/** Linux has it from 6.4 on. */
async function hasTmpfsNoswap(): Promise<boolean> {
  const release = await readFile(KERNEL_RELEASE, "utf8").catch(() => "0.0");
  const [major = 0, minor = 0] = release.split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 4);
}

/** What stands in pods' `resolv.conf`; what is wrong with it is told as events. */
export function dnsOf(
  { clusterDNS = [], clusterDomain = "", resolvConf }: KubeletConfiguration,
  node: { readonly nodeName: string; readonly nodeIps: readonly string[] },
  recorder: EventRecorder,
): NodeDns {
  return new NodeDns({ ...node, clusterDns: clusterDNS, clusterDomain, resolvConf, files: realHostFiles, recorder });
}

/** Folders under the kubelet's own. */
export function foldersOf(rootDir: string): { readonly seccomp: string; readonly checkpoints: string } {
  return { seccomp: join(rootDir, "seccomp"), checkpoints: join(rootDir, "checkpoints") };
}
