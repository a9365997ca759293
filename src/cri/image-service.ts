import type { ImageSpec } from "./container.ts";
import type { PodSandboxConfig } from "./pod-sandbox.ts";
import type { FilesystemUsage } from "./stats.ts";

/** An image that the node has. */
export interface Image {
  readonly id: string;
  /** Its names with tags, and with digests. */
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
  /** Who its process is: a number, or else a name; neither for root. */
  readonly uid: number | undefined;
  readonly username: string;
  /** Not to be removed to make room. */
  readonly pinned: boolean;
}

/** Who pulls an image: a name and password, or a token. */
export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  /** Name and password with a colon between them, in base64. */
  readonly auth?: string;
  readonly serverAddress?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

/** Where a runtime keeps images and what containers write. */
export interface ImageFileSystems {
  readonly image: readonly FilesystemUsage[];
  /** None where both are in one place, or the runtime is too old to tell. */
  readonly container: readonly FilesystemUsage[];
}

/** The images of one node, as CRI's ImageService names it. */
export interface ImageService {
  listImages(): Promise<readonly Image[]>;
  /** Undefined when the node does not have it. */
  imageStatus(image: ImageSpec): Promise<Image | undefined>;
  /** Fetches an image, or what is newer of it. Gives what containers are to name: a digest or an id. */
  pullImage(image: ImageSpec, options?: { readonly auth?: AuthConfig; readonly sandbox?: PodSandboxConfig }): Promise<string>;
  /** No error when it is not there. */
  removeImage(image: ImageSpec): Promise<void>;
  imageFsInfo(): Promise<ImageFileSystems>;
}
