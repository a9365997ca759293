import type { Container } from "#api/generated/core/v1.ts";
import { goFileText } from "#base/host-files.ts";
import type { Device, Mount } from "#cri/container.ts";
import type { PodNow } from "../inside/pod-volumes.ts";

/** Where a container finds its volumes and files. */
export interface ContainerMounts {
  readonly mounts: readonly Mount[];
  /** Volumes that are devices. */
  readonly devices?: readonly Device[];
  /** The file on the node that is its termination log; empty when it has none. */
  readonly terminationLogPath: string;
}

/** The volumes of a real node's pods. */
export interface VolumeManager {
  /**
   * Sets up every volume of the pod, and brings those that come from the API up to date; called before the sandbox is
   * made and at later syncs. Rejects with {@link VolumeError}.
   */
  setUp(now: PodNow): Promise<void>;
  /**
   * What a container mounts: volumes, parts of volumes, `/etc/hosts`, its termination log. Only after {@link setUp}.
   * `expand` gives the values of variables in `subPathExpr`, and leaves those alone that it does not know. Rejects with an
   * error whose message is upstream's of `CreateContainerConfigError`.
   */
  mounts(now: PodNow, container: Container, attempt: number, expand: (text: string) => string): Promise<ContainerMounts>;
  /**
   * The value of a variable in a file of a volume, with the file's path on the node; the value is empty when the file does not
   * have it. Only after {@link setUp}; absent where volumes have no files on the node. Rejects with upstream's words.
   */
  envFileValue?(
    now: PodNow,
    reference: { readonly volumeName: string; readonly path: string; readonly key: string },
  ): Promise<{ readonly path: string; readonly value: string }>;
  /** Unmounts and removes all of a pod. Can be repeated. Call it when nothing of the pod runs any more. */
  tearDown(podUid: string): Promise<void>;
  /** Tears down what is left of pods that are not `known`, after `first` is done: their folders are from earlier runs. */
  cleanUp(known: ReadonlySet<string>, first?: (podUid: string) => Promise<void>): Promise<void>;
}

/** A volume cannot be set up; the message is that of the event `FailedMount`. */
export class VolumeError extends Error {
  override readonly name = "VolumeError";
  /** The reason of its event. */
  readonly reason = "FailedMount";
  readonly volume: string;

  constructor(volume: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.volume = volume;
  }
}

/** What upstream tells of a volume whose own code fails. */
export function setUpFailed(volume: string, cause: unknown): VolumeError {
  return new VolumeError(volume, `MountVolume.SetUp failed for volume "${volume}" : ${goFileText(cause)}`, cause);
}
