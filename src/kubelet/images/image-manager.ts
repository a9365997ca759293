import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { PodSandboxConfig } from "#cri/pod-sandbox.ts";

/** An image that is there. */
export interface PulledImage {
  /** What containers name it by. */
  readonly imageId: string;
  /** Who its process is, as the image says: a number, or else a name; neither for root. */
  readonly user?: { readonly uid: number | undefined; readonly username: string };
}

/** Why an image is not there, in upstream's words: `ErrImagePull`, `ImagePullBackOff`, `ErrImageNeverPull`, ... */
export interface ImageProblem {
  readonly reason: string;
  readonly message: string;
  /** When to ask again, in milliseconds by `Clock.elapsed`. */
  readonly retryAtMs: number;
}

/** Brings the images of a node's containers (upstream's `images.ImageManager`). */
export interface ImageManager {
  /**
   * The image for a container, pulled if its policy says so. Rejects never. Tells the events Pulling, Pulled, Failed and
   * BackOff itself.
   */
  ensureImage(pod: Pod, container: Container, sandbox?: PodSandboxConfig): Promise<PulledImage | ImageProblem>;
}
