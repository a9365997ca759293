import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { ContainerInside } from "#cri/fake/container-inside.ts";
import type { MemoryFiles } from "#cri/fake/memory-files.ts";
import { type EnvironmentVariable, environmentOf, expand } from "../environment.ts";
import { hostsFile, resolvConf } from "./network-files.ts";
import { type InsideModules, type PodNow, PodVolumes } from "./pod-volumes.ts";
import { KUBERNETES_NAMESPACE, serviceVariables } from "./service-variables.ts";

/** A container's variables, with its command in which they have their values. */
export interface Prepared {
  readonly envs: readonly EnvironmentVariable[];
  readonly command: readonly string[];
  readonly args: readonly string[];
}

/** What the containers of one pod find inside. What costs something is made when somebody looks. */
export class PodInside {
  readonly volumes: PodVolumes;
  readonly #now: PodNow;
  readonly #modules: InsideModules;
  readonly #hostname: string;
  readonly #furnished = new WeakSet<MemoryFiles>();
  readonly #envs = new Map<string, readonly EnvironmentVariable[]>();

  constructor(now: PodNow, hostname: string, modules: InsideModules) {
    this.#now = now;
    this.#hostname = hostname;
    this.#modules = modules;
    this.volumes = new PodVolumes(now, modules);
  }

  /** Reads what a container's spec refers to, before it is made. Rejects with {@link MissingReferenceError}. */
  async prepare(container: Container): Promise<Prepared> {
    const { pod, addresses } = this.#now();
    const { sources, allocatable } = this.#modules;
    const services = (): Promise<ReadonlyMap<string, string>> => this.#services(pod);
    const envs = await environmentOf(pod, container, { addresses, allocatable: allocatable(), sources, services });
    this.#envs.set(container.name, envs);
    const { command = [], args = [] } = container;
    if (![...command, ...args].some((word) => word.includes("$"))) return { envs, command, args };
    const named = [...command, ...args].some((word) => word.includes("$("));
    const known = new Map([...(named ? await services() : []), ...envs.map(({ key, value }) => [key, value] as const)]);
    const expanded = (words: readonly string[]): string[] => words.map((word) => expand(word, known));
    return { envs, command: expanded(command), args: expanded(args) };
  }

  /** What one of its containers finds. */
  inside(name: string): ContainerInside | undefined {
    const { spec } = this.#now().pod;
    const all = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])] as readonly Container[];
    const container = all.find((one) => one.name === name);
    if (container === undefined) return undefined;
    return {
      variables: async () => this.#services(this.#now().pod),
      furnish: async (files, words) => {
        const { pod, addresses } = this.#now();
        const known = new Map((this.#envs.get(name) ?? []).map(({ key, value }) => [key, value]));
        this.#writeFiles(pod, addresses.pod, files);
        await this.volumes.furnish(container, files, words, (text) => expand(text, known));
      },
    };
  }

  #writeFiles(pod: Pod, ip: string, files: MemoryFiles): void {
    const nowMs = this.#modules.clock.now();
    if (this.#furnished.has(files)) return;
    this.#furnished.add(files);
    files.write("/etc/hosts", Buffer.from(hostsFile(pod, this.#hostname, ip)), nowMs);
    files.write("/etc/resolv.conf", Buffer.from(resolvConf(pod)), nowMs);
  }

  async #services(pod: Pod): Promise<ReadonlyMap<string, string>> {
    const { sources, clock } = this.#modules;
    const { namespace = "" } = pod.metadata;
    const namespaces = new Set([KUBERNETES_NAMESPACE, namespace]);
    const lists = await Promise.all([...namespaces].map((one) => sources.services(one).catch(() => [])));
    const startedAtMs = Date.parse(pod.status?.startTime ?? "") || clock.now();
    return serviceVariables(pod, lists.flat(), startedAtMs);
  }
}
