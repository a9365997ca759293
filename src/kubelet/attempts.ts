import type { Pod } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";

/** How often the containers of one pod were started whose attempts the runtime does not have any more. */
export class Attempts {
  /** By name; most pods have none. */
  #removed: Map<string, number> | undefined;

  /** An attempt is removed: the next goes on counting. */
  removed({ metadata: { name, attempt } }: ContainerStatus): void {
    this.#removed ??= new Map();
    this.#removed.set(name, Math.max(this.#removed.get(name) ?? 0, attempt + 1));
  }

  /** A node that starts anew goes on counting where the API says it was. */
  before({ status }: Pod, name: string): number {
    const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = status ?? {};
    const all = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses];
    const known = all.find((one) => one.name === name);
    const told = known?.containerID === undefined ? 0 : known.restartCount + 1;
    return Math.max(told, this.#removed?.get(name) ?? 0);
  }
}
