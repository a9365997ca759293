import type { Pod } from "#api/generated/core/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";
import { isRpcError, rpcText } from "#cri/cri-error.ts";
import { killPodText } from "./kuberuntime/kill-pod-text.ts";
import { SyncCounter } from "./metrics/sync-counter.ts";
import { earlier } from "./observed-pod.ts";
import type { Rejection } from "./pod-admission.ts";
import { concernsNode } from "./pod-change.ts";
import { PodSyncer } from "./pod-syncer.ts";
import type { PodWorkerModules } from "./pod-worker-modules.ts";
import { type PodWorkerParts, podWorkerParts } from "./pod-worker-parts.ts";
import { SyncLoop } from "./sync-loop.ts";

/**
 * Brings one pod to what its spec says, and tells how far it has come. One at a time; what happens meanwhile makes it
 * look again. Does nothing before {@link PodWorker.resume} or {@link PodWorker.reject}.
 */
export class PodWorker {
  readonly #modules: PodWorkerModules;
  readonly #parts: PodWorkerParts;
  readonly #syncer: PodSyncer;
  readonly #loop: SyncLoop;
  readonly #syncs: SyncCounter;
  #pod: Pod;
  #rejected = false;

  constructor(pod: Pod, modules: PodWorkerModules) {
    const { clock } = modules;
    const podNow = (): Pod => this.#pod;
    this.#pod = pod;
    this.#modules = modules;
    this.#parts = podWorkerParts(modules, {
      pod: podNow,
      wake: () => this.wake(),
      observe: () => this.#syncer.observe(),
      isPaused: () => this.#loop.isPaused,
    });
    this.#syncs = new SyncCounter(clock, modules.counts);
    this.#loop = new SyncLoop({
      clock,
      sync: () => this.#syncs.run(() => this.#sync()),
      onError: (error) => this.#failed(error),
      resyncMs: () => (this.#parts.end.hasEnded ? undefined : modules.resyncMs),
    });
    this.#syncer = new PodSyncer(modules, this.#parts, this.#loop, podNow);
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** The pod with the status that was told last, which the API may not show yet. */
  get podWithStatus(): Pod {
    return this.#parts.teller.applyTo(this.#pod);
  }

  /** The pod with what the node has given it, which may not be what it wants since. */
  get allocatedPod(): Pod {
    return this.#parts.resizer.allocatedPod(this.#pod);
  }

  /** Whether it holds what it requests of the node. */
  get active(): boolean {
    return !this.#parts.end.hasEnded && !this.#rejected && !isPodTerminal(this.#pod);
  }

  /** The node does not take the pod: it fails before anything of it starts. */
  reject({ reason, message }: Rejection): void {
    this.#rejected = true;
    this.#modules.counts?.rejected(reason);
    this.#parts.events.pod(this.#pod, "Warning", reason, message);
    const { generation } = this.#pod.metadata;
    const status = {
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      phase: "Failed",
      reason,
      message: `Pod was rejected: ${message}`,
      startTime: formatTime(this.#parts.startTimeMs),
    };
    this.#parts.teller.tellOnly(this.#pod, status);
    this.#loop.resume();
  }

  /** The pod changed. */
  update(pod: Pod): void {
    const before = this.#pod;
    this.#parts.volumes.changed(before, pod);
    this.#pod = pod;
    const isToBeTold = this.#parts.teller.seen(pod);
    if (pod.metadata.deletionTimestamp !== undefined) this.#parts.end.go();
    const isOther = concernsNode(before, pod);
    if (isOther) this.#syncs.changed();
    if (isOther || isToBeTold) this.wake();
  }

  /** Something happened: a container ended, a delay is over. */
  wake(): void {
    this.#loop.wake();
  }

  /** The node fails: nothing is done or told until {@link resume}. */
  pause(): void {
    this.#loop.pause();
  }

  resume(): void {
    this.#loop.resume();
  }

  /** Ends all timers, for a node that goes away. What runs goes on. */
  close(): void {
    this.pause();
    this.#loop.close();
    this.#parts.end.go();
    this.#parts.stopper.close();
    this.#parts.probers.stop();
  }

  /** The pod is gone from where it came from: its containers are ended, and all that is left of it removed. */
  remove(): Promise<void> {
    const removed = this.#parts.end.remove();
    this.#loop.resume();
    return removed;
  }

  /**
   * The node ends the pod, as when it has too little of something; its containers are given `graceSeconds`, or less when the
   * pod asks for less. Resolves when nothing of it runs any more.
   */
  fail(failure: Rejection, graceSeconds?: number): Promise<void> {
    const ended = this.#parts.end.fail(failure, graceSeconds);
    this.wake();
    return ended;
  }

  /** A call that failed may have changed something all the same. */
  #failed(error: unknown): void {
    this.#parts.observer.forget();
    if (isRpcError(error)) this.#tellFailure(error);
    this.#modules.onSyncError?.(this.#pod, error);
  }

  /** What the runtime did not do: a pod that runs misses nothing. */
  #tellFailure(error: unknown): void {
    const { clock } = this.#modules;
    const { metadata } = this.#pod;
    if (this.#isEnding) {
      const statuses = this.podWithStatus.status?.containerStatuses ?? [];
      const running = statuses.filter(({ state }) => state?.running !== undefined).map(({ name }) => name);
      this.#parts.events.problem(this.#pod, clock.elapsed(), "FailedKillPod", killPodText(metadata.uid ?? "", running, error));
    } else if (this.#parts.place.sandboxId === "") {
      const message = `Failed to create pod sandbox: ${rpcText(error)}`;
      this.#parts.events.problem(this.#pod, clock.elapsed(), "FailedCreatePodSandBox", message);
    }
  }

  get #isEnding(): boolean {
    const isDeleted = this.#pod.metadata.deletionTimestamp !== undefined;
    return (
      isDeleted ||
      this.#parts.end.isGone ||
      this.#parts.end.failure !== undefined ||
      this.#syncer.finished ||
      isPodTerminal(this.#pod)
    );
  }

  async #sync(): Promise<number | undefined> {
    const pod = this.#pod;
    if (this.#parts.end.isGone) return this.#syncer.terminate();
    if (this.#rejected) {
      if (pod.metadata.deletionTimestamp !== undefined) this.#modules.statusManager.write(pod, { phase: "Failed" }, true);
      return undefined;
    }
    const deadlineMs = this.#parts.end.deadlineMs(pod);
    if (deadlineMs !== undefined && this.#modules.clock.elapsed() >= deadlineMs) this.#failDeadline();
    if (this.#isEnding) return this.#syncer.terminate();
    return earlier(await this.#syncer.advance(), deadlineMs);
  }

  #failDeadline(): void {
    const failure = this.#parts.end.passDeadline();
    if (failure !== undefined) this.#parts.events.pod(this.#pod, "Normal", failure.reason, failure.message);
  }
}
