import type { Node, Pod } from "#api/generated/core/v1.ts";
import type { Logger } from "#component-base/logging.ts";
import { isCriticalPod } from "./cm/critical-pods.ts";
import { fullNameOf, isStaticPod } from "./config/static-pod.ts";
import type { KubeletMetrics } from "./metrics/kubelet-metrics.ts";
import { lacksFor, type Rejection, rejectionOf, resizeProblemOf } from "./pod-admission.ts";
import { PodEvents } from "./pod-events.ts";
import { PodWorker } from "./pod-worker.ts";
import type { PodWorkerModules } from "./pod-worker-modules.ts";
import { PREEMPTED, podsToPreempt } from "./preemption.ts";
import type { ResizeProblem } from "./resize/pod-resizer.ts";

const RECOVERY_FAILED = "Unexpected error while attempting to recover from admission failure";

/** What {@link PodWorkers} use of their node. */
export interface PodWorkersOptions {
  readonly modules: PodWorkerModules;
  /** The Node as it was seen last; undefined: every pod is taken on. */
  readonly node: () => Node | undefined;
  /** The Node as it is: what was seen may be behind what the scheduler has seen. */
  readonly readNode: () => Promise<Node | undefined>;
  /** Why the node takes no pod on at all now. */
  readonly closed?: () => Rejection | undefined;
  /** Why this machine cannot give a pod what it asks for, whatever its node has to give. */
  readonly refuse?: (pod: Pod) => Rejection | undefined;
  /** Counts what becomes of pods; nobody does when absent. */
  readonly counts?: Pick<KubeletMetrics, "podAdded" | "podRestarted" | "preempted">;
  /** Nothing is left of a pod. */
  readonly onGone: (pod: Pod) => void;
  readonly logger: Logger;
}

/** A worker for each pod of a real node. */
export class PodWorkers {
  readonly #options: PodWorkersOptions;
  readonly #workers = new Map<string, PodWorker>();
  /** Pods that wait for the end of one before them: of the same uid, or static pods of the same name. */
  readonly #waiting = new Map<string, Pod>();
  /** Those that are being removed; by uid. */
  readonly #going = new Set<string>();
  #stopped = false;

  constructor(options: PodWorkersOptions) {
    this.#options = options;
  }

  /** Of all pods that are known, whatever becomes of them. */
  get all(): readonly PodWorker[] {
    return [...this.#workers.values()];
  }

  /** The uids of pods of which something may be there. */
  get uids(): ReadonlySet<string> {
    return new Set([...this.#workers.keys(), ...[...this.#waiting.values()].map(({ metadata }) => metadata.uid ?? "")]);
  }

  /** A pod is there, or changed. */
  set(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    const worker = this.#workers.get(uid);
    if (worker !== undefined && !this.#going.has(uid)) worker.update(pod);
    else if (worker !== undefined || this.#isNameTaken(pod)) this.#waiting.set(fullNameOf(pod), pod);
    else this.#add(pod);
  }

  /** A pod is gone from where it came from. */
  remove(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    if (this.#waiting.get(fullNameOf(pod))?.metadata.uid === uid) this.#waiting.delete(fullNameOf(pod));
    const worker = this.#workers.get(uid);
    if (worker === undefined || this.#going.has(uid)) return;
    this.#going.add(uid);
    void worker.remove().then(() => this.#gone(worker));
  }

  /** Something of a pod changed in the runtime. */
  wake(podUid: string): void {
    this.#workers.get(podUid)?.wake();
  }

  /** Ends all timers; containers go on. */
  stop(): void {
    this.#stopped = true;
    for (const worker of this.#workers.values()) worker.close();
  }

  /** Why the node cannot give a pod that it has other resources. */
  resizeProblem(pod: Pod): ResizeProblem | undefined {
    if (isStaticPod(pod)) return { reason: "Infeasible", message: "In-place resize of static-pods is not supported" };
    const node = this.#options.node();
    if (node === undefined) return undefined;
    const { uid } = pod.metadata;
    const others = this.all.filter((other) => other.pod.metadata.uid !== uid && other.active);
    return resizeProblemOf(
      pod,
      node,
      others.map(({ allocatedPod }) => allocatedPod),
    );
  }

  #isNameTaken(pod: Pod): boolean {
    if (!isStaticPod(pod)) return false;
    const fullName = fullNameOf(pod);
    return this.all.some((worker) => isStaticPod(worker.pod) && fullNameOf(worker.pod) === fullName);
  }

  #gone(worker: PodWorker): void {
    const { pod } = worker;
    this.#workers.delete(pod.metadata.uid ?? "");
    this.#going.delete(pod.metadata.uid ?? "");
    if (this.#stopped) return;
    this.#options.onGone(pod);
    const next = this.#waiting.get(fullNameOf(pod));
    if (next === undefined) return;
    this.#waiting.delete(fullNameOf(pod));
    if (next.metadata.uid === pod.metadata.uid) this.#options.counts?.podRestarted(isStaticPod(pod));
    this.set(next);
  }

  #add(pod: Pod): void {
    const worker = new PodWorker(pod, this.#options.modules);
    this.#options.counts?.podAdded(pod.spec.containers.length);
    this.#workers.set(pod.metadata.uid ?? "", worker);
    const wasTaken = pod.status?.startTime !== undefined || pod.metadata.deletionTimestamp !== undefined;
    const closed = wasTaken ? undefined : (this.#options.closed?.() ?? this.#options.refuse?.(pod));
    if (closed !== undefined) worker.reject(closed);
    else if (wasTaken || this.#rejection(worker, this.#options.node()) === undefined) worker.resume();
    else void this.#lookAgain(worker);
  }

  #rejection(worker: PodWorker, node: Node | undefined): Rejection | undefined {
    return node === undefined ? undefined : rejectionOf(worker.pod, node, this.#othersOf(worker));
  }

  #othersOf(worker: PodWorker): readonly Pod[] {
    return this.all.filter((other) => other !== worker && other.active).map(({ allocatedPod }) => allocatedPod);
  }

  async #lookAgain(worker: PodWorker): Promise<void> {
    const node = (await this.#options.readNode().catch(() => undefined)) ?? this.#options.node();
    if (this.#isGone(worker)) return;
    const rejection = this.#rejection(worker, node);
    if (rejection === undefined) worker.resume();
    else if (node === undefined || !isCriticalPod(worker.pod)) worker.reject(rejection);
    else await this.#makeRoom(worker, node, rejection);
  }

  /** A critical pod is not turned away for want of anything: others go (upstream's `CriticalPodAdmissionHandler`). */
  async #makeRoom(worker: PodWorker, node: Node, rejection: Rejection): Promise<void> {
    const others = this.#othersOf(worker);
    const lacks = lacksFor(worker.pod, node, others);
    if (lacks === undefined) return worker.reject(rejection);
    const victims = podsToPreempt(worker.pod, others, lacks);
    if (typeof victims === "string") {
      const message = `${RECOVERY_FAILED}: preemption: error finding a set of pods to preempt: ${victims}`;
      return worker.reject({ reason: "UnexpectedAdmissionError", message });
    }
    const events = new PodEvents(this.#options.modules.recorder);
    const ended = victims.map((pod) => {
      this.#options.counts?.preempted(lacks[0]?.resource ?? "");
      events.pod(pod, "Warning", PREEMPTED.reason, PREEMPTED.message);
      return this.#workers.get(pod.metadata.uid ?? "")?.fail(PREEMPTED);
    });
    await Promise.all(ended);
    if (!this.#isGone(worker)) worker.resume();
  }

  #isGone(worker: PodWorker): boolean {
    return this.#stopped || this.#workers.get(worker.pod.metadata.uid ?? "") !== worker;
  }
}
