import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { ContainerInside } from "#cri/fake/container-inside.ts";
import type { MemoryFiles } from "#cri/fake/memory-files.ts";
import { podHostname } from "../network-files/pod-hostname.ts";
import type { PodEnvironment } from "../pod-environment.ts";
import { type ContainerMounts, VolumeError, type VolumeManager } from "../volumes/volume-manager.ts";
import { hostsFile, resolvConf } from "./network-files.ts";
import { type InsideModules, type PodNow, PodVolumes } from "./pod-volumes.ts";

const CLUSTER_DOMAIN = "cluster.local";
const NO_MOUNTS: ContainerMounts = { mounts: [], terminationLogPath: "" };

interface Entry {
  readonly now: PodNow;
  readonly volumes: PodVolumes;
  /** Gives the values of variables in a path; by the container's name. */
  readonly expand: Map<string, (text: string) => string>;
}

/** What the containers of simulated pods find inside: nothing is mounted, and what costs something is made when somebody looks. */
export class SimulatedVolumes implements VolumeManager {
  readonly #modules: InsideModules;
  readonly #environment: PodEnvironment;
  readonly #pods = new Map<string, Entry>();
  readonly #furnished = new WeakSet<MemoryFiles>();

  constructor(modules: InsideModules, environment: PodEnvironment) {
    this.#modules = modules;
    this.#environment = environment;
  }

  async setUp(now: PodNow): Promise<void> {
    const uid = now().pod.metadata.uid ?? "";
    let entry = this.#pods.get(uid);
    if (entry === undefined) {
      entry = { now, volumes: new PodVolumes(now, this.#modules), expand: new Map() };
      this.#pods.set(uid, entry);
    }
    const missing = await entry.volumes.missing();
    if (missing === undefined) return;
    const message = `MountVolume.SetUp failed for volume "${missing.volume}" : ${missing.message}`;
    throw new VolumeError(missing.volume, message);
  }

  async mounts(
    now: PodNow,
    container: Container,
    _attempt: number,
    expandText: (text: string) => string,
  ): Promise<ContainerMounts> {
    this.#pods.get(now().pod.metadata.uid ?? "")?.expand.set(container.name, expandText);
    return NO_MOUNTS;
  }

  async tearDown(podUid: string): Promise<void> {
    this.#pods.get(podUid)?.volumes.release();
    this.#pods.delete(podUid);
  }

  /** There are no earlier runs. */
  async cleanUp(): Promise<void> {}

  /** What a container of a pod finds. */
  inside(podUid: string, name: string): ContainerInside | undefined {
    const entry = this.#pods.get(podUid);
    if (entry === undefined) return undefined;
    const { spec } = entry.now().pod;
    const all = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])] as readonly Container[];
    const container = all.find((one) => one.name === name);
    if (container === undefined) return undefined;
    return {
      variables: async () => this.#environment.services(entry.now().pod),
      furnish: async (files, words) => {
        const { pod, addresses } = entry.now();
        this.#writeFiles(pod, addresses.pod, files);
        await entry.volumes.furnish(container, files, words, entry.expand.get(name) ?? ((text) => text));
      },
    };
  }

  #writeFiles(pod: Pod, ip: string, files: MemoryFiles): void {
    const nowMs = this.#modules.clock.now();
    if (this.#furnished.has(files)) return;
    this.#furnished.add(files);
    files.write("/etc/hosts", Buffer.from(hostsFile(pod, podHostname(pod, CLUSTER_DOMAIN).hostname, ip)), nowMs);
    files.write("/etc/resolv.conf", Buffer.from(resolvConf(pod)), nowMs);
  }
}
