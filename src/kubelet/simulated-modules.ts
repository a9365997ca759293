import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { ContainerConfig } from "#cri/container.ts";
import { COMPLETES_LABEL } from "#cri/fake/behaviour.ts";
import type { PodCgroups } from "./cm/container-manager.ts";
import type { ImageManager, PulledImage } from "./images/image-manager.ts";
import { PodEvents } from "./pod-events.ts";

/** Simulated nodes have no cgroups. */
export const noCgroups: PodCgroups = {
  ensurePodCgroup: async () => "",
  removePodCgroup: async () => {},
  containerResources: () => undefined,
};

/** Every image is there. Tells so for each start of a container. */
export class SimulatedImages implements ImageManager {
  readonly #events: PodEvents;

  constructor(recorder: EventRecorder) {
    this.#events = new PodEvents(recorder);
  }

  async ensureImage(pod: Pod, container: Container): Promise<PulledImage> {
    const { name, image = "" } = container;
    const message = `Container image "${image}" already present on machine and can be accessed by the pod`;
    this.#events.container(pod, name, "Pulled", message);
    return { imageId: image };
  }
}

/** Tells the simulated runtime which containers are meant to end. */
export function decorate(config: ContainerConfig, completes: boolean): ContainerConfig {
  return completes ? { ...config, labels: { ...config.labels, [COMPLETES_LABEL]: "true" } } : config;
}
