import type { Logger } from "#component-base/logging.ts";
import type { Container } from "#cri/container.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { CONTAINER_NAME_LABEL, POD_UID_LABEL } from "./labels.ts";
import { messageOf } from "./message-of.ts";
import type { PodLogs } from "./pod-logs.ts";

/** What a {@link ContainerGc} uses of its node. */
export interface ContainerGcOptions {
  readonly runtime: RuntimeService;
  readonly logs: Pick<PodLogs, "removeDangling">;
  /** Whether a pod's containers are all done for good: those may go although the pod is there. */
  readonly isFinished: (podUid: string) => boolean;
  readonly logger: Logger;
}

/** Dead attempts of each container that are kept (upstream's `--maximum-dead-containers-per-container`). */
const DEAD_KEPT = 1;

/** Removes dead containers and sandboxes that nobody asks for any more (upstream's `containerGC`). */
export class ContainerGc {
  readonly #options: ContainerGcOptions;

  constructor(options: ContainerGcOptions) {
    this.#options = options;
  }

  /** Removes what is beyond what is kept; `all`: of finished pods everything, to make room. */
  async collect(all: boolean): Promise<void> {
    const { runtime, logs } = this.#options;
    const containers = (await runtime.listContainers()).filter(({ labels }) => labels[POD_UID_LABEL] !== undefined);
    for (const { id } of this.#removable(containers, all)) await this.#try("container", id, () => runtime.removeContainer(id));
    await this.#removeSandboxes(all);
    await logs.removeDangling();
  }

  #removable(containers: readonly Container[], all: boolean): readonly Container[] {
    const dead = containers.filter(({ state }) => state === "CONTAINER_EXITED");
    const groups = new Map<string, Container[]>();
    for (const container of dead) {
      const key = `${container.labels[POD_UID_LABEL]}/${container.labels[CONTAINER_NAME_LABEL]}`;
      groups.set(key, [...(groups.get(key) ?? []), container]);
    }
    return [...groups.values()].flatMap((group) => {
      const uid = group[0]?.labels[POD_UID_LABEL] ?? "";
      if (all && this.#options.isFinished(uid)) return group;
      // The newest says why the container ended last.
      return group.sort((a, b) => b.createdAtMs - a.createdAtMs).slice(DEAD_KEPT);
    });
  }

  /** The newest sandbox of a pod is kept, and each in which there is something. */
  async #removeSandboxes(all: boolean): Promise<void> {
    const { runtime, isFinished } = this.#options;
    const [sandboxes, left] = await Promise.all([runtime.listPodSandbox(), runtime.listContainers()]);
    const used = new Set(left.map(({ sandboxId }) => sandboxId));
    const newest = new Map<string, number>();
    for (const { metadata, createdAtMs } of sandboxes) {
      newest.set(metadata.uid, Math.max(newest.get(metadata.uid) ?? 0, createdAtMs));
    }
    const removable = sandboxes.filter(
      ({ id, state, labels, metadata, createdAtMs }) =>
        state === "SANDBOX_NOTREADY" &&
        labels[POD_UID_LABEL] !== undefined &&
        !used.has(id) &&
        ((all && isFinished(metadata.uid)) || createdAtMs < (newest.get(metadata.uid) ?? 0)),
    );
    for (const { id } of removable) await this.#try("sandbox", id, () => runtime.removePodSandbox(id));
  }

  async #try(what: string, id: string, act: () => Promise<void>): Promise<void> {
    await act().catch((error: unknown) => {
      this.#options.logger.warn({ [what]: id, err: messageOf(error) }, "what is dead could not be removed");
    });
  }
}
