import type { Pod } from "#api/generated/core/v1.ts";
import type { EventRecorder, EventType } from "#client/event-recorder.ts";
import { type ObjectReference, referenceTo } from "#client/event-target.ts";

/** Tells the events of one pod and its containers, as a kubelet words them. */
export class PodEvents {
  readonly #recorder: EventRecorder;

  constructor(recorder: EventRecorder) {
    this.#recorder = recorder;
  }

  /** About the pod as a whole. */
  pod(pod: Pod, type: EventType, reason: string, message: string): void {
    this.#recorder.event(referenceTo("v1", "Pod", pod), type, reason, message);
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
