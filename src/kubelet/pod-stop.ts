import type { Pod } from "#api/generated/core/v1.ts";
import type { ContainerStopper } from "./kuberuntime/container-stopper.ts";
import { podLogsFolder } from "./kuberuntime/sandbox-config.ts";
import { TerminationOrdering } from "./kuberuntime/termination-ordering.ts";
import { isRunning, type ObservedPod } from "./observed-pod.ts";
import type { PodEnd } from "./pod-end.ts";
import type { PodWorkerModules } from "./pod-worker-modules.ts";

/** Ends what runs of a pod, and takes away what is left of it. */
export class PodStop {
  readonly #modules: PodWorkerModules;
  readonly #stopper: ContainerStopper;
  readonly #end: PodEnd;
  #ordering: TerminationOrdering | undefined;

  constructor(modules: PodWorkerModules, stopper: ContainerStopper, end: PodEnd) {
    this.#modules = modules;
    this.#stopper = stopper;
    this.#end = end;
  }

  /** Asks what runs to end, and does not wait for it. False when nothing runs any more. */
  stopContainers(pod: Pod, { containers }: ObservedPod): boolean {
    const running = containers.filter(isRunning);
    this.#ordering ??= new TerminationOrdering(
      pod,
      running.map(({ metadata }) => metadata.name),
    );
    const ordering = this.#ordering;
    for (const { id, metadata } of running) {
      const message = `Stopping container ${metadata.name}`;
      this.#stopper.stop({ id, name: metadata.name, message, ordering, ...this.#end.graceLimit });
    }
    return running.length > 0;
  }

  /** Gives back what a pod holds of which nothing runs any more: its network, volumes and cgroup. */
  async release({ metadata }: Pod, { sandboxes = [] }: ObservedPod): Promise<void> {
    const { runtime, volumes, cgroups } = this.#modules;
    for (const { id } of sandboxes) await runtime.stopPodSandbox(id);
    const uid = metadata.uid ?? "";
    await volumes.tearDown(uid);
    await cgroups.removePodCgroup(uid);
  }

  /** Takes away the rest of a pod that is gone. */
  async remove(pod: Pod, observed: ObservedPod): Promise<void> {
    const { runtime, sandboxes } = this.#modules;
    // Before the sandboxes, without which nobody would know of it any more.
    if (sandboxes !== undefined) await sandboxes.removeLogFolder(podLogsFolder(pod, sandboxes.podLogsDir));
    for (const { id } of observed.sandboxes ?? []) await runtime.removePodSandbox(id);
  }
}
