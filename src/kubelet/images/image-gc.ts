import type { Clock } from "#base/clock.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { ObjectReference } from "#client/event-target.ts";
import type { Logger } from "#component-base/logging.ts";
import type { Image, ImageService } from "#cri/image-service.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { messageOf } from "../kuberuntime/message-of.ts";
import type { KubeletMetrics } from "../metrics/kubelet-metrics.ts";

/** When images are removed. */
export interface ImageGcPolicy {
  /** From so much of the disk on; 100: never. */
  readonly highPercent: number;
  /** Down to so much. */
  readonly lowPercent: number;
  /** Images that were found more recently are kept, in milliseconds. */
  readonly minAgeMs: number;
  /** Images that nobody used for longer are removed whatever the disk has, in milliseconds; 0: never. */
  readonly maxAgeMs: number;
}

/** What an {@link ImageGc} uses of its node. */
export interface ImageGcOptions {
  readonly images: ImageService;
  readonly runtime: Pick<RuntimeService, "listContainers">;
  /** Names of images that are in use although no container runs them: those of sandboxes and of volumes. */
  readonly alsoUsed: () => Promise<readonly string[]>;
  /** The disk that images are on. */
  readonly disk: () => Promise<{ readonly capacityBytes: number; readonly availableBytes: number }>;
  readonly policy: ImageGcPolicy;
  readonly recorder: EventRecorder;
  readonly node: ObjectReference;
  readonly metrics?: Pick<KubeletMetrics, "imageCollected">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Before all times that are known, in milliseconds. */
const LONG_AGO: number = Number.MIN_SAFE_INTEGER;

interface Seen {
  /** Undefined for images that were there before the kubelet: long ago. */
  readonly firstAtMs: number | undefined;
  usedAtMs: number;
  image: Image;
}

/** Removes images that no container uses (upstream's `realImageGCManager`), those not used for the longest time first. */
export class ImageGc {
  readonly #options: ImageGcOptions;
  readonly #seen = new Map<string, Seen>();
  readonly #startedAtMs: number;
  #isFirst = true;
  #hasFailed = false;

  constructor(options: ImageGcOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.elapsed();
  }

  /** Looks which images there are and which are used. */
  async detect(): Promise<void> {
    const { images, runtime, clock } = this.#options;
    const [all, containers] = await Promise.all([images.listImages(), runtime.listContainers()]);
    const nowMs = clock.elapsed();
    const used = new Set([
      ...containers.flatMap(({ image, imageRef }) => [image, imageRef]),
      ...(await this.#options.alsoUsed()),
    ]);
    for (const image of all) {
      const known = this.#seen.get(image.id) ?? { firstAtMs: this.#isFirst ? undefined : nowMs, usedAtMs: LONG_AGO, image };
      known.image = image;
      if ([image.id, ...image.repoTags, ...image.repoDigests].some((name) => used.has(name))) known.usedAtMs = nowMs;
      this.#seen.set(image.id, known);
    }
    const ids = new Set(all.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
    this.#isFirst = false;
  }

  /** Removes what is too old, and frees the disk when it is too full; rejects when that does not free enough, which an event of the node tells. */
  async collect(): Promise<void> {
    const { disk, policy, clock, logger } = this.#options;
    await this.#removeOld();
    const { capacityBytes, availableBytes } = await disk();
    if (capacityBytes === 0) {
      this.#warn("InvalidDiskCapacity", "invalid capacity 0 on image filesystem");
      throw new Error("invalid capacity 0 on image filesystem");
    }
    const available = Math.min(availableBytes, capacityBytes);
    const percent = 100 - Math.trunc((available * 100) / capacityBytes);
    if (percent < policy.highPercent) return;
    const wanted = Math.trunc((capacityBytes * (100 - policy.lowPercent)) / 100) - available;
    logger.info({ percent, high: policy.highPercent, bytes: wanted }, "the disk of images is full: unused ones are removed");
    const freed = await this.#free(wanted, clock.elapsed());
    if (freed >= wanted) return;
    const message = `Insufficient free disk space on the node's image filesystem (${percent}% of ${iec(capacityBytes)} used). Failed to free sufficient space by deleting unused images. Consider resizing the disk or deleting unused files.`;
    this.#warn("FreeDiskSpaceFailed", message);
    const words = `Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free.`;
    throw new Error(`Failed to garbage collect required amount of images. ${words}`);
  }

  /** {@link collect}, as it is done from time to time: what fails twice in a row is told as an event of the node. */
  async run(): Promise<void> {
    try {
      await this.collect();
      this.#hasFailed = false;
    } catch (error) {
      this.#options.logger.warn({ err: messageOf(error) }, "unused images could not be removed");
      if (this.#hasFailed) this.#warn("ImageGCFailed", messageOf(error));
      this.#hasFailed = true;
    }
  }

  /** Removes all images that nobody uses. */
  async removeUnused(): Promise<void> {
    await this.#free(Number.POSITIVE_INFINITY, this.#options.clock.elapsed());
  }

  /** Gives the bytes that were freed. */
  async #free(wanted: number, nowMs: number): Promise<number> {
    await this.detect();
    const unused = [...this.#seen.values()].filter(({ usedAtMs, image }) => usedAtMs < nowMs && !image.pinned);
    unused.sort((a, b) => a.usedAtMs - b.usedAtMs || (a.firstAtMs ?? LONG_AGO) - (b.firstAtMs ?? LONG_AGO));
    let freed = 0;
    for (const { firstAtMs, image } of unused) {
      if (freed >= wanted) break;
      if (nowMs - (firstAtMs ?? LONG_AGO) < this.#options.policy.minAgeMs) continue;
      if (await this.#remove(image, "space")) freed += image.sizeBytes;
    }
    return freed;
  }

  /** Nothing is known of what was used before the kubelet began. */
  async #removeOld(): Promise<void> {
    const { policy, clock } = this.#options;
    if (policy.maxAgeMs === 0) return;
    await this.detect();
    const nowMs = clock.elapsed();
    if (nowMs - this.#startedAtMs <= policy.maxAgeMs) return;
    for (const { usedAtMs, firstAtMs, image } of this.#seen.values()) {
      const lastMs = Math.max(usedAtMs, firstAtMs ?? LONG_AGO, this.#startedAtMs);
      if (!image.pinned && usedAtMs !== nowMs && nowMs - lastMs > policy.maxAgeMs) await this.#remove(image, "age");
    }
  }

  async #remove({ id, repoTags, sizeBytes }: Image, reason: "space" | "age"): Promise<boolean> {
    const { images, logger, metrics } = this.#options;
    try {
      await images.removeImage({ image: id });
      metrics?.imageCollected(reason);
      this.#seen.delete(id);
      logger.info({ image: repoTags[0] ?? id, bytes: sizeBytes }, "an unused image is removed");
      return true;
    } catch (error) {
      logger.warn({ image: id, err: messageOf(error) }, "an unused image could not be removed");
      return false;
    }
  }

  #warn(reason: string, message: string): void {
    this.#options.recorder.event(this.#options.node, "Warning", reason, message);
  }
}

const IEC_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

function iec(bytes: number): string {
  let left = bytes;
  let unit = 0;
  while (left >= 1024 && unit < IEC_UNITS.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${left < 10 && unit > 0 ? left.toFixed(1) : Math.floor(left + 0.5)} ${IEC_UNITS[unit]}`;
}
