import type { ImageSpec } from "../container.ts";
import type { AuthConfig, Image, ImageFileSystems, ImageService } from "../image-service.ts";
import type { PodSandboxConfig } from "../pod-sandbox.ts";
import type { CriChannel } from "./cri-channel.ts";
import { imageOf } from "./from-messages.ts";
import { filesystemOf } from "./stats-from-messages.ts";

const SERVICE = "ImageService";

/** The images of a runtime behind a socket. */
export class RemoteImages implements ImageService {
  readonly #channel: CriChannel;

  constructor(channel: CriChannel) {
    this.#channel = channel;
  }

  /** All of them: containerd pays no heed to CRI's filter. */
  async listImages(): Promise<readonly Image[]> {
    return (await this.#channel.call(SERVICE, "ListImages", {})).images.map(imageOf);
  }

  async imageStatus(image: ImageSpec): Promise<Image | undefined> {
    const { image: found } = await this.#channel.call(SERVICE, "ImageStatus", { image });
    return found && imageOf(found);
  }

  /** Takes as long as it takes: the runtime itself gives up on registries that do not answer. */
  async pullImage(
    image: ImageSpec,
    { auth, sandbox }: { readonly auth?: AuthConfig; readonly sandbox?: PodSandboxConfig } = {},
  ): Promise<string> {
    const request = { image, auth, sandboxConfig: sandbox };
    return (await this.#channel.call(SERVICE, "PullImage", request, Number.POSITIVE_INFINITY)).imageRef;
  }

  async removeImage(image: ImageSpec): Promise<void> {
    await this.#channel.call(SERVICE, "RemoveImage", { image });
  }

  async imageFsInfo(): Promise<ImageFileSystems> {
    const { imageFilesystems, containerFilesystems } = await this.#channel.call(SERVICE, "ImageFsInfo", {});
    return { image: imageFilesystems.map(filesystemOf), container: containerFilesystems.map(filesystemOf) };
  }
}
