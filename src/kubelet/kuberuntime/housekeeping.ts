import type { Clock } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { ContainerManager } from "../cm/container-manager.ts";
import type { KubeletMetrics } from "../metrics/kubelet-metrics.ts";
import type { VolumeManager } from "../volumes/volume-manager.ts";
import { POD_UID_LABEL } from "./labels.ts";
import type { PodLogs } from "./pod-logs.ts";

/** What {@link Housekeeping} uses of its node. */
export interface HousekeepingModules {
  readonly runtime: RuntimeService;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly volumes: Pick<VolumeManager, "cleanUp">;
  readonly cgroups: Pick<ContainerManager, "removePodCgroup" | "cleanUp">;
  readonly logs: Pick<PodLogs, "removeOf">;
  /** Counts what was left; nobody does when absent. */
  readonly counts?: Pick<KubeletMetrics, "orphanedPod" | "volumesCleaned">;
  /** Where the logs of pods are. */
  readonly podLogsDir: string;
  /** The uids of the pods that there are. */
  readonly known: () => ReadonlySet<string>;
}

/** What the containers of pods that nobody knows are given to end, in seconds (upstream's `syncTerminatingRuntimePod`). */
const GRACE_SECONDS = 1;

/** Removes what earlier runs of the kubelet have left of pods that are gone: their containers, sandboxes, volumes, cgroups and logs. */
export class Housekeeping {
  readonly #modules: HousekeepingModules;
  #running = false;

  constructor(modules: HousekeepingModules) {
    this.#modules = modules;
  }

  /** Only when all pods are known. What fails is tried again the next time. */
  async run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { volumes, cgroups, logs, podLogsDir, known, logger, counts } = this.#modules;
    try {
      await this.#removeOrphans();
      // The logs of a pod go before the last by which it is found to be one of this node's.
      let cleaned = 0;
      const first = (podUid: string): Promise<void> => {
        cleaned++;
        return logs.removeOf(podLogsDir, podUid);
      };
      const failure: unknown = await volumes.cleanUp(known(), first).catch((error: unknown) => error);
      counts?.volumesCleaned(cleaned, failure instanceof AggregateError ? failure.errors.length : 0);
      if (failure !== undefined) throw failure;
      await cgroups.cleanUp(known());
    } catch (error) {
      logger.warn({ err: error instanceof Error ? error.message : String(error) }, "what is left of pods could not be removed");
    } finally {
      this.#running = false;
    }
  }

  async #removeOrphans(): Promise<void> {
    const { runtime, known } = this.#modules;
    // Listed first: a pod that comes to be known meanwhile is none of them.
    const sandboxes = await runtime.listPodSandbox();
    const uids = known();
    const orphans = sandboxes.filter(({ labels }) => isOurs(labels) && !uids.has(labels[POD_UID_LABEL] ?? ""));
    for (const { id, metadata } of orphans) await this.#remove(id, metadata.uid);
  }

  async #remove(sandboxId: string, uid: string): Promise<void> {
    const { runtime, cgroups, logs, podLogsDir, logger } = this.#modules;
    this.#modules.counts?.orphanedPod();
    logger.info({ podUid: uid, sandboxId }, "a pod that is gone is removed");
    const containers = await runtime.listContainers({ sandboxId, state: "CONTAINER_RUNNING" });
    await Promise.all(containers.map(({ id }) => runtime.stopContainer(id, GRACE_SECONDS)));
    await runtime.stopPodSandbox(sandboxId);
    await logs.removeOf(podLogsDir, uid);
    await runtime.removePodSandbox(sandboxId);
    await cgroups.removePodCgroup(uid);
  }
}

/** Others may use the same runtime. */
function isOurs(labels: Readonly<Record<string, string>>): boolean {
  return labels[POD_UID_LABEL] !== undefined;
}
