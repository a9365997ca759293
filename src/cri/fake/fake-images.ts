import { createHash } from "node:crypto";
import type { Clock } from "#base/clock.ts";
import type { ImageSpec } from "../container.ts";
import type { Image, ImageFileSystems, ImageService } from "../image-service.ts";
import { emptyFilesystem } from "./fake-stats.ts";

/** Images that are nothing but names: every one can be had. */
export class FakeImages implements ImageService {
  readonly #clock: Clock;
  readonly #images = new Map<string, Image>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async listImages(): Promise<readonly Image[]> {
    return [...this.#images.values()];
  }

  async imageStatus({ image }: ImageSpec): Promise<Image | undefined> {
    return [...this.#images.values()].find((one) => isNamed(one, image));
  }

  async pullImage({ image: name }: ImageSpec): Promise<string> {
    const id = `sha256:${createHash("sha256").update(name).digest("hex")}`;
    const repository = name.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
    const repoTags = name.includes("@") ? [] : [name === repository ? `${name}:latest` : name];
    const repoDigests = [`${repository}@${id}`];
    this.#images.set(id, { id, repoTags, repoDigests, sizeBytes: 0, uid: undefined, username: "", pinned: false });
    return id;
  }

  async removeImage({ image }: ImageSpec): Promise<void> {
    for (const [id, one] of this.#images) if (isNamed(one, image)) this.#images.delete(id);
  }

  async imageFsInfo(): Promise<ImageFileSystems> {
    return { image: [emptyFilesystem(this.#clock.now())], container: [] };
  }
}

function isNamed({ id, repoTags, repoDigests }: Image, name: string): boolean {
  return id === name || repoTags.includes(name) || repoTags.includes(`${name}:latest`) || repoDigests.includes(name);
}
