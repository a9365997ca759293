import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import { type EnvironmentSituation, type EnvironmentVariable, environmentOf, expand } from "./environment.ts";
import type { PodNow } from "./inside/pod-volumes.ts";
import type { Amounts } from "./inside/resource-values.ts";
import { KUBERNETES_NAMESPACE, serviceVariables } from "./inside/service-variables.ts";
import type { Sources } from "./inside/sources.ts";
import type { VolumeManager } from "./volumes/volume-manager.ts";

/** A container's variables, with its command in which they have their values. */
export interface Prepared {
  readonly envs: readonly EnvironmentVariable[];
  readonly command: readonly string[];
  readonly args: readonly string[];
  /** Gives the values of variables in a text; leaves alone those that are not known. */
  readonly expand: (text: string) => string;
}

/** What {@link PodEnvironment} uses of its node. */
export interface PodEnvironmentModules {
  readonly sources: Pick<Sources, "configMap" | "secret" | "services">;
  readonly clock: Clock;
  /** What the node has to give. */
  readonly allocatable: () => Amounts;
  /** As {@link VolumeManager.envFileValue}. */
  readonly envFileValue?: VolumeManager["envFileValue"];
  /** The variables of services are told to each container; else only those that a container asks for by name are read. */
  readonly tellsServices: boolean;
}

/** Works out the variables and commands of containers, from what their specs refer to. */
export class PodEnvironment {
  readonly #modules: PodEnvironmentModules;

  constructor(modules: PodEnvironmentModules) {
    this.#modules = modules;
  }

  /** Reads what a container's spec refers to, before it is made. Rejects with `MissingReferenceError`. */
  async prepare(now: PodNow, container: Container): Promise<Prepared> {
    const { pod, addresses } = now();
    const { sources, allocatable, tellsServices, envFileValue } = this.#modules;
    let known: Promise<ReadonlyMap<string, string>> | undefined;
    const services = (): Promise<ReadonlyMap<string, string>> => {
      known ??= this.services(pod);
      return known;
    };
    const situation: EnvironmentSituation = {
      addresses,
      allocatable: allocatable(),
      sources,
      services,
      ...(envFileValue === undefined ? {} : { envFileValue: (reference) => envFileValue(now, reference) }),
    };
    const own = await environmentOf(pod, container, situation);
    const names = new Set(own.map(({ key }) => key));
    const told = tellsServices ? [...(await services())].filter(([key]) => !names.has(key)) : [];
    const envs = [...told.map(([key, value]) => ({ key, value })), ...own];
    const ownValues = new Map(own.map(({ key, value }) => [key, value]));
    const expandOwn = expanderOf(ownValues);
    const { command = [], args = [] } = container;
    const words = [...command, ...args];
    if (!words.some((word) => word.includes("$"))) return { envs, command, args, expand: expandOwn };
    const named = words.some((word) => word.includes("$("));
    const all = new Map([...(named ? await services() : []), ...ownValues]);
    const expanded = (list: readonly string[]): string[] => list.map((word) => expand(word, all));
    return { envs, command: expanded(command), args: expanded(args), expand: expandOwn };
  }

  /** The variables of services that a pod is told. */
  async services(pod: Pod): Promise<ReadonlyMap<string, string>> {
    const { sources, clock } = this.#modules;
    const { namespace = "" } = pod.metadata;
    const namespaces = new Set([KUBERNETES_NAMESPACE, namespace]);
    const lists = await Promise.all([...namespaces].map((one) => sources.services(one).catch(() => [])));
    const startedAtMs = Date.parse(pod.status?.startTime ?? "") || clock.now();
    return serviceVariables(pod, lists.flat(), startedAtMs);
  }
}

/** Lives as long as its container: apart from {@link PodEnvironment.prepare}, whose pod it would keep as it was then. */
function expanderOf(values: ReadonlyMap<string, string>): (text: string) => string {
  return (text) => expand(text, values);
}
