import type { Pod } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import { noteDefect } from "#base/defect.ts";
import type { EventDetails, EventRecorder, EventType } from "#client/event-recorder.ts";
import { referenceTo } from "#client/event-target.ts";
import type { Lister } from "#client/informer.ts";
import type { SchedulerCache } from "./cache/scheduler-cache.ts";
import type { CycleState } from "./framework/cycle-state.ts";
import { fitErrorMessage } from "./framework/fit-error.ts";
import type { Framework } from "./framework/framework.ts";
import type { PodInfo } from "./framework/pod-info.ts";
import { errorStatus, messageOf, type Status, SUCCESS } from "./framework/status.ts";
import type { PodStatusWriter } from "./pod-status-writer.ts";
import type { Nominator } from "./queue/nominator.ts";
import type { QueuedPod, SchedulingQueue } from "./queue/scheduling-queue.ts";
import type { PodPlacer } from "./schedule-pod.ts";

/** Bindings under way at once, at most. */
const BINDINGS_MAX = 128;
/** Status patches under way at once, at most; beyond, scheduling waits for them. */
const STATUS_WRITES_MAX = 128;
/** How long the loop may hold the event loop before others get their turn. */
const SLICE_MS = 5;
/** Longest note of an event; upstream's NoteLengthLimit. */
const EVENT_NOTE_CHARS_MAX = 1024;

/** Modules of {@link SchedulingLoop}. */
export interface LoopModules {
  readonly clock: Clock;
  readonly framework: Framework;
  readonly placer: PodPlacer;
  readonly cache: SchedulerCache;
  readonly queue: SchedulingQueue;
  readonly nominator: Nominator;
  readonly pods: Lister<Pod>;
  readonly recorder: EventRecorder;
  readonly statusWriter: PodStatusWriter;
}

/** Takes pods from the queue one by one, decides at once, and binds in the background. */
export class SchedulingLoop {
  readonly #modules: LoopModules;
  #bindings = 0;
  #signal: AbortSignal = new AbortController().signal;
  #statusWrites = 0;
  #wake: () => void = () => undefined;
  #woken = false;

  constructor(modules: LoopModules) {
    this.#modules = modules;
  }

  /** There may be something to do. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Runs until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules;
    this.#signal = signal;
    const onAbort = (): void => this.wake();
    signal.addEventListener("abort", onAbort, { once: true });
    while (!signal.aborted) {
      this.#woken = false;
      const sliceEnd = clock.elapsed() + SLICE_MS;
      let worked = false;
      while (this.#bindings < BINDINGS_MAX && this.#statusWrites < STATUS_WRITES_MAX) {
        const queued = this.#modules.queue.pop();
        if (queued === undefined) break;
        worked = true;
        this.#try(queued);
        // Looked at last: a machine that stands still must not let a slice end before a pod was looked for, for nobody would wake the loop.
        if (clock.elapsed() >= sliceEnd) break;
      }
      if (worked) await clock.sleep(0, signal).catch(() => undefined);
      else if (!this.#woken) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
    signal.removeEventListener("abort", onAbort);
  }

  /** A plugin that throws has a mistake in it: that fails one pod, and not the scheduling of all others. */
  #try(queued: QueuedPod): void {
    try {
      this.#schedule(queued);
    } catch (error) {
      noteDefect("the scheduler", error);
      this.#failed(queued, String(error));
    }
  }

  #schedule(queued: QueuedPod): void {
    const { cache, placer } = this.#modules;
    const { pod } = queued.info;
    if (pod.metadata.deletionTimestamp !== undefined) {
      const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
      this.#event(pod, "Warning", "FailedScheduling", `skip schedule deleting pod: ${name}`, { action: "Scheduling" });
      return;
    }
    if (cache.isAssumed(queued.info.uid)) return;
    const result = placer.schedule(queued.info);
    if (result.outcome === "fits") {
      const reserved = this.#modules.framework.runReserve(result.state, queued.info, result.nodeName);
      if (reserved !== SUCCESS) {
        this.#failed(queued, messageOf(reserved));
        return;
      }
      cache.assume(queued.info, result.nodeName);
      this.#forgetNomination(queued.info, result.nodeName);
      this.#bindings += 1;
      // Failures are handled inside.
      void this.#bind(queued, result.nodeName, result.state);
      return;
    }
    if (result.outcome === "no nodes") {
      this.#unschedulable(queued, new Set(), "no nodes available to schedule pods", "");
      return;
    }
    const { diagnosis, state } = result;
    const { status, nominatedNodeName } = this.#modules.framework.runPostFilter(state, queued.info, diagnosis);
    diagnosis.postFilterMessage = messageOf(status);
    this.#unschedulable(queued, diagnosis.rejectors, fitErrorMessage(diagnosis), nominatedNodeName);
  }

  /** A pod that was to come to another node leaves it to those that had to leave it room. */
  #forgetNomination({ pod, uid, priority }: PodInfo, chosen: string): void {
    const { nominator, queue } = this.#modules;
    const nodeName = nominator.nodeOf(uid);
    nominator.delete(uid);
    if (nodeName === undefined || nodeName === chosen) return;
    queue.move({ resource: "AssignedPod", action: "delete", pod, nodeName }, priority);
  }

  #unschedulable(queued: QueuedPod, rejectors: ReadonlySet<string>, message: string, nominatedNodeName?: string): void {
    const current = this.#current(queued);
    if (current === undefined) return;
    if (nominatedNodeName !== undefined) this.#modules.nominator.set(queued.info, nominatedNodeName);
    this.#modules.queue.addUnschedulable(queued, rejectors);
    this.#report(current, "Unschedulable", message, nominatedNodeName);
  }

  async #bind(queued: QueuedPod, nodeName: string, state: CycleState): Promise<void> {
    const { framework, cache, queue } = this.#modules;
    const { pod, uid } = queued.info;
    const status = await this.#runBinding(queued, nodeName, state);
    this.#bindings -= 1;
    this.wake();
    const { namespace, name } = pod.metadata;
    if (status.code === "Success") {
      const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
      this.#event(pod, "Normal", "Scheduled", message, { action: "Binding" });
      return;
    }
    framework.runUnreserve(state, queued.info, nodeName);
    // Confirmed meanwhile: only the answer was lost.
    if (!cache.isAssumed(uid)) return;
    cache.forget(uid);
    queue.move({ resource: "AssignedPod", action: "delete", pod, nodeName });
    this.#failed(queued, messageOf(status));
  }

  async #runBinding(queued: QueuedPod, nodeName: string, state: CycleState): Promise<Status> {
    const { framework } = this.#modules;
    try {
      const ready = await framework.runPreBind(state, queued.info, nodeName, this.#signal);
      return ready === SUCCESS ? await framework.runBind(queued.info.pod, nodeName) : ready;
    } catch (error) {
      noteDefect("the scheduler", error);
      return errorStatus(String(error));
    }
  }

  #failed(queued: QueuedPod, message: string): void {
    const current = this.#current(queued);
    if (current === undefined) return;
    this.#modules.queue.addFailed(queued);
    this.#report(current, "SchedulerError", message);
  }

  /** The pod as it is now, if it still waits for a node; taken over into the queued record. */
  #current(queued: QueuedPod): Pod | undefined {
    const { namespace = "", name = "", uid } = queued.info.pod.metadata;
    const pod = this.#modules.pods.get(namespace, name);
    if (pod === undefined || pod.metadata.uid !== uid || pod.spec.nodeName) return undefined;
    return pod;
  }

  #report(pod: Pod, reason: "Unschedulable" | "SchedulerError", message: string, nominatedNodeName?: string): void {
    this.#event(pod, "Warning", "FailedScheduling", message, { action: "Scheduling" });
    const condition = { type: "PodScheduled", status: "False", reason, message } as const;
    this.#statusWrites += 1;
    void this.#modules.statusWriter
      .write(pod, condition, nominatedNodeName)
      // The pod may be gone or changed; its next attempt says it again.
      .catch(() => undefined)
      .finally(() => {
        this.#statusWrites -= 1;
        this.wake();
      });
  }

  #event(pod: Pod, type: EventType, reason: string, message: string, details: EventDetails): void {
    const suffix = " ...";
    const note =
      message.length > EVENT_NOTE_CHARS_MAX ? message.slice(0, EVENT_NOTE_CHARS_MAX - suffix.length) + suffix : message;
    this.#modules.recorder.event(referenceTo("v1", "Pod", pod), type, reason, note, details);
  }
}
