import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { Image, ImageService } from "#cri/image-service.ts";
import type { PodSandboxConfig } from "#cri/pod-sandbox.ts";
import { PodEvents } from "../pod-events.ts";
import type { ImageManager, ImageProblem, PulledImage } from "./image-manager.ts";

/** What {@link SimpleImageManager} uses of its node. */
export interface SimpleImageManagerModules {
  readonly images: ImageService;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
}

/** How long until a pull that failed is tried again, in milliseconds. */
const RETRY_MS = 10_000;

/** Pulls images by their policy, without secrets. */
export class SimpleImageManager implements ImageManager {
  readonly #modules: SimpleImageManagerModules;
  readonly #events: PodEvents;

  constructor(modules: SimpleImageManagerModules) {
    this.#modules = modules;
    this.#events = new PodEvents(modules.recorder);
  }

  async ensureImage(pod: Pod, container: Container, sandbox?: PodSandboxConfig): Promise<PulledImage | ImageProblem> {
    const { name, image = "", imagePullPolicy = "IfNotPresent" } = container;
    const { images, clock } = this.#modules;
    try {
      const found = await images.imageStatus({ image });
      if (found !== undefined && imagePullPolicy !== "Always") {
        const message = `Container image "${image}" already present on machine and can be accessed by the pod`;
        this.#events.container(pod, name, "Pulled", message);
        return pulled(found);
      }
      if (imagePullPolicy === "Never") {
        const message = `Container image "${image}" is not present with pull policy of Never`;
        this.#events.warning(pod, name, "ErrImageNeverPull", message);
        return { reason: "ErrImageNeverPull", message, retryAtMs: clock.now() + RETRY_MS };
      }
      return await this.#pull(pod, name, image, sandbox);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#events.warning(pod, name, "Failed", `Failed to pull image "${image}": ${message}`);
      return { reason: "ErrImagePull", message, retryAtMs: clock.now() + RETRY_MS };
    }
  }

  async #pull(pod: Pod, name: string, image: string, sandbox: PodSandboxConfig | undefined): Promise<PulledImage> {
    const { images, clock } = this.#modules;
    this.#events.container(pod, name, "Pulling", `Pulling image "${image}"`);
    const beganMs = clock.now();
    const imageId = await images.pullImage({ image }, sandbox === undefined ? {} : { sandbox });
    const found = await images.imageStatus({ image: imageId });
    const seconds = ((clock.now() - beganMs) / 1000).toFixed(3);
    const message = `Successfully pulled image "${image}" in ${seconds}s (${seconds}s including waiting). Image size: ${found?.sizeBytes ?? 0} bytes.`;
    this.#events.container(pod, name, "Pulled", message);
    return found === undefined ? { imageId } : { ...pulled(found), imageId };
  }
}

function pulled({ id, uid, username }: Image): PulledImage {
  return { imageId: id, user: { uid, username } };
}
