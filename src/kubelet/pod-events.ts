import type { Pod } from "#api/generated/core/v1.ts";
import type { EventRecorder, EventType } from "#client/event-recorder.ts";
import { type ObjectReference, referenceTo } from "#client/event-target.ts";

/** How often the same is told of a pod that cannot be set up, in milliseconds. */
const PROBLEM_MS = 10_000;
/** Problems that are remembered of a pod. */
const PROBLEMS_MAX = 100;

/** Tells the events of one pod and its containers, as a kubelet words them. */
export class PodEvents {
  readonly #recorder: EventRecorder;
  /** When problems were told last; by message. */
  #toldAtMs: Map<string, number> | undefined;

  constructor(recorder: EventRecorder) {
    this.#recorder = recorder;
  }

  /** About the pod as a whole. */
  pod(pod: Pod, type: EventType, reason: string, message: string): void {
    this.#recorder.event(referenceTo("v1", "Pod", pod), type, reason, message);
  }

  /** Why the pod cannot be set up: not at each of the many times that it is tried. */
  problem(pod: Pod, nowMs: number, reason: string, message: string): void {
    this.#toldAtMs ??= new Map();
    const before = this.#toldAtMs.get(message);
    if (before !== undefined && nowMs - before < PROBLEM_MS) return;
    if (this.#toldAtMs.size >= PROBLEMS_MAX) this.#toldAtMs.clear();
    this.#toldAtMs.set(message, nowMs);
    this.pod(pod, "Warning", reason, message);
  }

  /** About one of its containers. */
  container(pod: Pod, name: string, reason: string, message: string): void {
    this.#recorder.event(containerReference(pod, name), "Normal", reason, message);
  }

  /** Something went wrong with one of its containers. */
  warning(pod: Pod, name: string, reason: string, message: string): void {
    this.#recorder.event(containerReference(pod, name), "Warning", reason, message);
  }

  /** A container that failed is held back. */
  backOff(pod: Pod, name: string): void {
    const { name: podName = "", namespace = "", uid = "" } = pod.metadata;
    const message = `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`;
    this.#recorder.event(containerReference(pod, name), "Warning", "BackOff", message);
  }
}

function containerReference(pod: Pod, name: string): ObjectReference {
  const isInit = pod.spec.initContainers?.some((container) => container.name === name) ?? false;
  return { ...referenceTo("v1", "Pod", pod), fieldPath: `spec.${isInit ? "initContainers" : "containers"}{${name}}` };
}
