import { posix } from "node:path";
import type { Container, Pod, Volume } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import { aboutPath, errnoOf, type HostFiles } from "#base/host-files.ts";
import type { Random } from "#base/random.ts";
import type { ImageSpec } from "#cri/container.ts";
import type { RuntimeHandler } from "#cri/runtime-status.ts";
import { valueInEnvFile } from "../env-file.ts";
import type { PodNow } from "../inside/pod-volumes.ts";
import type { Amounts } from "../inside/resource-values.ts";
import type { Sources } from "../inside/sources.ts";
import { allContainers } from "../kuberuntime/effective-security-context.ts";
import type { UserNamespace } from "../kuberuntime/security-context.ts";
import type { KubeletMetrics } from "../metrics/kubelet-metrics.ts";
import { HOSTS_PATH, managedHostsFile, nodeHostsFile } from "../network-files/hosts-file.ts";
import { podHostname } from "../network-files/pod-hostname.ts";
import type { PodCertificates } from "../podcertificate/pod-certificates.ts";
import {
  type ClaimedVolume,
  type ClaimSources,
  claimedVolume,
  claimNameOf,
  UnprocessedVolumeError,
  unprocessedVolumes,
} from "./claims.ts";
import { containerMounts } from "./container-mounts.ts";
import { Line } from "./line.ts";
import { releaseDevices } from "./local-volume.ts";
import { isWithin } from "./mount-info.ts";
import type { Mounter } from "./mounter.ts";
import { PodPaths } from "./pod-paths.ts";
import { readBeneath } from "./read-beneath.ts";
import { removeTree } from "./remove-tree.ts";
import { ServiceAccountTokens } from "./service-account-tokens.ts";
import { pluginName, setUpOf } from "./set-up-volume.ts";
import type { TrustAnchors } from "./trust-anchors.ts";
import { type IdRange, UserNamespaces } from "./user-namespaces.ts";
import { fsUserOf, type SetUpVolume, uidOf, type VolumeHost } from "./volume-host.ts";
import { type ContainerMounts, setUpFailed, VolumeError, type VolumeManager } from "./volume-manager.ts";
import { type VolumeStats, volumeStats } from "./volume-stats.ts";

/** The largest file of variables that is read, in bytes. */
const ENV_FILE_BYTES_MAX: number = 1024 * 1024;

/** What {@link HostVolumes} is made of. */
export interface HostVolumesOptions {
  /** The kubelet's root folder, as `--root-dir`. */
  readonly root: string;
  readonly files: HostFiles;
  readonly mounter: Mounter;
  readonly clock: Clock;
  readonly random: Random;
  /** The kubelet's own. */
  readonly processId: number;
  readonly allocatable: () => Amounts;
  /** What volumes' files come from; nothing for a kubelet without an API server. */
  readonly sources: (Pick<Sources, "configMap" | "secret" | "token"> & ClaimSources) | undefined;
  /** The certificates of `clusterTrustBundle` sources; without it they give no files. */
  readonly trustAnchors?: Pick<TrustAnchors, "get">;
  /** The keys and certificates of `podCertificate` sources; without it they give no files. */
  readonly certificates?: Pick<PodCertificates, "get" | "forget">;
  readonly clusterDomain: string;
  /** Counts what is mounted; nobody does when absent. */
  readonly counts?: Pick<KubeletMetrics, "storage">;
  /** Pulls the image of a volume. */
  readonly imageOf: (pod: Pod, image: NonNullable<SetUpVolume["image"]>) => Promise<ImageSpec>;
  /** The kernel can keep a tmpfs from being swapped out. */
  readonly tmpfsNoswap: boolean;
  /** The runtime's handler for a pod, by its RuntimeClass. */
  readonly handlerOf: (pod: Pod) => RuntimeHandler;
  /** How many ids pods get, and which; as {@link UserNamespaces} has it when absent. */
  readonly userIds?: { readonly idsPerPod?: number; readonly range?: IdRange };
}

const FOLDER_MODE = 0o750;
const HOSTS_MODE = 0o644;
/** How long it holds what volumes take, in milliseconds; upstream's `volumeStatsAggPeriod`. */
const STATS_FRESH_MS = 60_000;

interface PodVolume {
  readonly specName: string;
  readonly setUp: SetUpVolume;
  /** The group that a persistent volume is for. */
  readonly group: number | undefined;
}

/** The volumes of a real node, on its disk and in its memory. */
export class HostVolumes implements VolumeManager {
  readonly paths: PodPaths;
  readonly #options: HostVolumesOptions;
  readonly #host: VolumeHost;
  readonly #tokens: ServiceAccountTokens;
  readonly #namespaces: UserNamespaces;
  readonly #devices = new Line();
  /** By the pods' uids: their ids, or why they cannot have any. */
  readonly #ids = new Map<string, UserNamespace | Error>();
  readonly #stats = new Map<string, { readonly atMs: number; readonly stats: Promise<readonly VolumeStats[]> }>();
  /** By the pods' uids and the volumes' names. */
  readonly #pods = new Map<string, ReadonlyMap<string, PodVolume>>();

  private constructor(options: HostVolumesOptions, root: string) {
    this.#options = options;
    this.paths = new PodPaths(root);
    const { files, mounter, clock, processId, allocatable, tmpfsNoswap } = options;
    this.#host = { paths: this.paths, files, mounter, clock, processId, allocatable, tmpfsNoswap };
    this.#tokens = new ServiceAccountTokens(options.sources ?? NO_SOURCES, options);
    this.#namespaces = new UserNamespaces({ files, paths: this.paths }, options.userIds);
  }

  /** Makes the folder of pods where it is not there. */
  static async start(options: HostVolumesOptions): Promise<HostVolumes> {
    await options.files.mkdir(posix.join(options.root, "pods"), { recursive: true, mode: FOLDER_MODE });
    // Mounts are listed by paths without links.
    const volumes = new HostVolumes(options, await options.files.realpath(options.root));
    await volumes.#namespaces.load();
    return volumes;
  }

  async setUp(now: PodNow): Promise<void> {
    const { pod } = now();
    const uid = uidOf(pod);
    const { files } = this.#host;
    for (const folder of [this.paths.volumes(uid), this.paths.plugins(uid)]) {
      await files.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    }
    this.#ids.set(uid, await this.#namespaces.get(pod, this.#options.handlerOf(pod)).catch(asError));
    // What no container mounts is not set up.
    const used = new Set(
      allContainers(pod).flatMap(({ volumeMounts = [], volumeDevices = [] }) =>
        [...volumeMounts, ...volumeDevices].map(({ name }) => name),
      ),
    );
    const volumes = (pod.spec.volumes ?? []).filter(({ name }) => used.has(name));
    const outcomes = await Promise.allSettled(volumes.map((volume) => this.#setUpOne(now, volume)));
    const before = this.#pods.get(uid) ?? new Map<string, PodVolume>();
    const made = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    this.#pods.set(uid, new Map([...before, ...made]));
    const failed = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    const unprocessed = failed.filter((error) => error instanceof UnprocessedVolumeError);
    const unmounted = volumes.filter((_, index) => outcomes[index]?.status === "rejected").map(({ name }) => name);
    if (unprocessed.length > 0) throw unprocessedVolumes(unprocessed, unmounted);
    if (failed.length > 0) throw failed[0];
  }

  async mounts(now: PodNow, container: Container, attempt: number, expand: (text: string) => string): Promise<ContainerMounts> {
    const { pod } = now();
    const { handlerOf, imageOf } = this.#options;
    const { mounts, devices, terminationLogPath } = await containerMounts(this.#host, {
      pod,
      container,
      attempt,
      volumes: this.#pods.get(uidOf(pod)) ?? new Map(),
      hostsFile: await this.#writeHosts(now),
      expand,
      supportsRecursiveReadOnly: handlerOf(pod).recursiveReadOnlyMounts,
      imageOf,
    });
    const { uids, gids } = this.userNamespaceOf(pod) ?? {};
    if (uids === undefined || gids === undefined) return { mounts, devices, terminationLogPath };
    return { mounts: mounts.map((mount) => ({ ...mount, uidMappings: uids, gidMappings: gids })), devices, terminationLogPath };
  }

  async envFileValue(
    now: PodNow,
    { volumeName, path, key }: { readonly volumeName: string; readonly path: string; readonly key: string },
  ): Promise<{ readonly path: string; readonly value: string }> {
    const { setUp } = this.#pods.get(uidOf(now().pod))?.get(volumeName) ?? {};
    if (setUp === undefined || setUp.path === "")
      throw new Error(`cannot find the volume ${JSON.stringify(volumeName)} referenced by FileKeyRef`);
    try {
      const text = await readBeneath(this.#host.files, setUp.path, path, ENV_FILE_BYTES_MAX);
      return { path: posix.join(setUp.path, path), value: valueInEnvFile(text, key) };
    } catch (cause) {
      throw new Error("couldn't parse env file", { cause });
    }
  }

  /** The user namespace of a pod that was set up; undefined for the node's. Throws where the pod cannot have the one that it wants. */
  userNamespaceOf(pod: Pod): UserNamespace | undefined {
    const ids = this.#ids.get(uidOf(pod));
    if (ids instanceof Error) throw ids;
    return ids?.mode === "POD" ? ids : undefined;
  }

  /** Groups of persistent volumes that a pod's processes belong to, beside those of its spec. */
  extraGroups(podUid: string): readonly number[] {
    const volumes = [...(this.#pods.get(podUid)?.values() ?? [])];
    return [...new Set(volumes.flatMap(({ group }) => (group === undefined ? [] : [group])))];
  }

  /** What each of a pod's volumes takes. Files are counted one by one, and no more often than each minute. */
  stats(pod: Pod): Promise<readonly VolumeStats[]> {
    const uid = uidOf(pod);
    const nowMs = this.#host.clock.elapsed();
    const known = this.#stats.get(uid);
    if (known !== undefined && nowMs - known.atMs < STATS_FRESH_MS) return known.stats;
    const stats = this.#measure(pod);
    this.#stats.set(uid, { atMs: nowMs, stats });
    stats.catch(() => this.#stats.delete(uid));
    return stats;
  }

  async #measure(pod: Pod): Promise<readonly VolumeStats[]> {
    const known = this.#pods.get(uidOf(pod)) ?? new Map<string, PodVolume>();
    const measured = (pod.spec.volumes ?? []).map(async (volume) => {
      const { setUp } = known.get(volume.name) ?? {};
      if (setUp === undefined) return undefined;
      const claimName = claimNameOf(pod, volume);
      const claim = claimName === undefined ? undefined : { name: claimName, namespace: pod.metadata.namespace ?? "" };
      const { path, hasFileSystem = false } = setUp;
      return volumeStats(this.#host.files, { volume, path, hasFileSystem, claim }).catch(undefinedIfMissing);
    });
    return (await Promise.all(measured)).filter((stats) => stats !== undefined);
  }

  async tearDown(podUid: string): Promise<void> {
    const folder = this.paths.pod(podUid);
    const mounted = (await this.#host.mounter.list()).map(({ path }) => path).filter((path) => isWithin(path, folder));
    // What was mounted last may be within what was mounted before.
    for (const path of mounted.reverse()) await this.#host.mounter.unmount(path);
    await removeTree(this.#host.files, folder);
    await this.#devices.inTurn(() => releaseDevices(this.#host));
    this.#pods.delete(podUid);
    this.#tokens.forget(podUid);
    this.#options.certificates?.forget(podUid);
    this.#namespaces.release(podUid);
    this.#ids.delete(podUid);
    this.#stats.delete(podUid);
  }

  async cleanUp(known: ReadonlySet<string>, first: (podUid: string) => Promise<void> = async () => {}): Promise<void> {
    const uids = await this.#host.files.readdir(this.paths.pods).catch((error: unknown) => {
      if (errnoOf(error) !== "ENOENT") throw error;
      return [];
    });
    const left = uids.filter((uid) => !known.has(uid));
    const outcomes = await Promise.allSettled(left.map((uid) => first(uid).then(() => this.tearDown(uid))));
    const failed = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    if (failed.length > 0) throw new AggregateError(failed, failed.map(String).join("; "));
  }

  async #setUpOne(now: PodNow, volume: Volume): Promise<readonly [string, PodVolume]> {
    const { pod, addresses } = now();
    const { resolved, group } = await this.#resolve(pod, volume);
    const setUp = setUpOf(resolved);
    if (setUp === undefined) {
      throw new UnprocessedVolumeError(
        volume.name,
        `failed to get Plugin from volumeSpec for volume "${resolved.specName}" err=no volume plugin matched`,
      );
    }
    const { sources = NO_SOURCES, trustAnchors, certificates } = this.#options;
    const situation = {
      pod,
      addresses,
      allocatable: this.#options.allocatable(),
      sources,
      token: (audience: string | undefined, seconds: number) => this.#tokens.get(pod, audience, seconds),
      ...(trustAnchors === undefined ? {} : { trustAnchors: trustAnchors.get.bind(trustAnchors) }),
      ...(certificates === undefined ? {} : { certificate: certificates.get.bind(certificates, pod) }),
      ...credentialFiles(pod),
    };
    const { counts } = this.#options;
    const beganMs = this.#host.clock.elapsed();
    let failed = true;
    try {
      const request = { pod, addresses, volume: resolved, situation };
      // Others must not let go of a device that is just being mounted.
      const made = await (resolved.source.local === undefined
        ? setUp(this.#host, request)
        : this.#devices.inTurn(() => setUp(this.#host, request)));
      failed = false;
      return [volume.name, { specName: resolved.specName, setUp: made, group }];
    } catch (error) {
      throw error instanceof VolumeError ? error : setUpFailed(resolved.specName, error);
    } finally {
      counts?.storage(pluginName(resolved.source), "volume_mount", (this.#host.clock.elapsed() - beganMs) / 1000, failed);
    }
  }

  async #resolve(pod: Pod, volume: Volume): Promise<ClaimedVolume> {
    const claimName = claimNameOf(pod, volume);
    const { name, ...source } = volume;
    if (claimName === undefined) {
      return { resolved: { name, specName: name, source, readOnly: false, mountOptions: [] }, group: undefined };
    }
    try {
      return await claimedVolume(pod, volume, claimName, this.#options.sources ?? NO_SOURCES);
    } catch (error) {
      if (error instanceof VolumeError || error instanceof UnprocessedVolumeError) throw error;
      throw new UnprocessedVolumeError(name, error instanceof Error ? error.message : String(error));
    }
  }

  async #writeHosts(now: PodNow): Promise<string> {
    const { pod, addresses } = now();
    const { files } = this.#host;
    const { hostNetwork = false, hostAliases = [] } = pod.spec;
    const path = this.paths.hostsFile(uidOf(pod));
    const text = hostNetwork
      ? nodeHostsFile(await files.readFile(HOSTS_PATH, "utf8"), hostAliases)
      : managedHostsFile(addresses.pods ?? [addresses.pod], podHostname(pod, this.#options.clusterDomain), hostAliases);
    // Containers may have it open: it is not emptied where nothing changes, as on a disk without room for it.
    const before = await files.readFile(path, "utf8").catch(() => undefined);
    if (before === text) return path;
    await files.writeFile(path, text, { mode: HOSTS_MODE }).catch((error: unknown) => {
      throw aboutPath(error, path);
    });
    await files.chmod(path, HOSTS_MODE);
    return path;
  }
}

/** Who may read tokens and keys: all, unless the pod says whom its files belong to. */
function credentialFiles(pod: Pod): { readonly credentialMode?: number; readonly credentialOwner?: number } {
  const owner = fsUserOf(pod);
  const isOwned = owner !== undefined || pod.spec.securityContext?.fsGroup !== undefined;
  return { ...(isOwned ? { credentialMode: 0o600 } : {}), ...(owner === undefined ? {} : { credentialOwner: owner }) };
}

const standalone = async (): Promise<never> => {
  throw new Error("kube client is not configured");
};
/** A kubelet without an API server has nothing to read from. */
const NO_SOURCES: NonNullable<HostVolumesOptions["sources"]> = {
  configMap: standalone,
  secret: standalone,
  token: standalone,
  claim: standalone,
  persistentVolume: standalone,
  node: standalone,
};

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function undefinedIfMissing(error: unknown): undefined {
  if (errnoOf(error) !== "ENOENT") throw error;
  return undefined;
}
