import type { Container, Pod, Secret } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { pullText, rpcText } from "#cri/cri-error.ts";
import type { Image, ImageService } from "#cri/image-service.ts";
import type { PodSandboxConfig } from "#cri/pod-sandbox.ts";
import { BackOff, RESTART_DELAY_MAX_MS } from "../back-off.ts";
import { messageOf } from "../kuberuntime/message-of.ts";
import type { KubeletMetrics } from "../metrics/kubelet-metrics.ts";
import { PodEvents } from "../pod-events.ts";
import type { ImageManager, ImageProblem, PulledImage } from "./image-manager.ts";
import { parseImageName, withDefaultTag } from "./image-name.ts";
import { Keyring } from "./keyring.ts";
import { PullQueue } from "./pull-queue.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What a {@link PullManager} is made of. */
export interface PullManagerOptions {
  readonly images: ImageService;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly metrics?: Pick<KubeletMetrics, "pulled" | "imageEnsured">;
  /** A secret of a pod's namespace; undefined when it is not there. */
  readonly secret: (namespace: string, name: string) => Promise<Secret | undefined>;
  /** One after the other. */
  readonly serialize: boolean;
  /** Most at a time where not one after the other; undefined: all. */
  readonly parallelMax: number | undefined;
  /** How many a second, and at once. 0: all. */
  readonly perSecond: number;
  readonly burst: number;
}

/** How long until what failed is asked for again when it was no pull, in milliseconds. */
const RETRY_MS = 10_000;
/** How soon a pod is told that a pull that failed is held back, in milliseconds. */
const TELL_MS = 2000;
/** Errors of runtimes that have reasons of their own, by what their messages begin with, and what is said of them. */
const KNOWN_ERRORS = {
  RegistryUnavailable: "the registry is unavailable",
  SignatureValidationFailed: "the signature validation failed",
} as const;

/** Pulls images by their policies, with the secrets of pods, and holds back what fails (upstream's `images.imageManager`). */
export class PullManager implements ImageManager {
  readonly #options: PullManagerOptions;
  readonly #events: PodEvents;
  readonly #queue: PullQueue;
  readonly #bucket: TokenBucket;
  /** By pod and image. */
  readonly #backOff = new BackOff();
  readonly #failures = new Map<string, { readonly atMs: number; readonly text: string }>();

  constructor(options: PullManagerOptions) {
    const { recorder, clock, serialize, parallelMax, perSecond, burst } = options;
    this.#options = options;
    this.#events = new PodEvents(recorder);
    this.#queue = new PullQueue(serialize ? 1 : (parallelMax ?? Number.POSITIVE_INFINITY));
    this.#bucket = new TokenBucket(clock, perSecond, burst);
  }

  async ensureImage(pod: Pod, container: Container, sandbox?: PodSandboxConfig): Promise<PulledImage | ImageProblem> {
    const { name, image: requested = "" } = container;
    const { images, metrics } = this.#options;
    let image: string;
    try {
      image = withDefaultTag(requested);
    } catch (error) {
      const message = `Failed to apply default image tag ${JSON.stringify(requested)}: ${messageOf(error)}`;
      this.#events.warning(pod, name, "InspectFailed", message);
      return this.#problem("InvalidImageName", message);
    }
    const policy = container.imagePullPolicy ?? defaultPolicy(image);
    let found: Image | undefined;
    try {
      found = policy === "Always" ? undefined : await images.imageStatus({ image });
    } catch (error) {
      const message = `Failed to inspect image ${JSON.stringify(requested)}: ${rpcText(error)}`;
      this.#events.warning(pod, name, "InspectFailed", message);
      return this.#problem("ImageInspectError", message);
    }
    const isPresent = policy === "Always" ? undefined : found !== undefined;
    metrics?.imageEnsured(isPresent, policy, found === undefined && policy !== "Never");
    if (found !== undefined) {
      const message = `Container image ${JSON.stringify(requested)} already present on machine and can be accessed by the pod`;
      this.#events.container(pod, name, "Pulled", message);
      return pulled(found);
    }
    if (policy === "Never") {
      const message = `Container image ${JSON.stringify(requested)} is not present with pull policy of Never`;
      this.#events.warning(pod, name, "ErrImageNeverPull", message);
      return this.#problem("ErrImageNeverPull", message);
    }
    return this.#pull(pod, container, image, sandbox);
  }

  async #pull(pod: Pod, container: Container, image: string, sandbox?: PodSandboxConfig): Promise<PulledImage | ImageProblem> {
    const { clock, metrics } = this.#options;
    const { name, image: requested = "" } = container;
    const quoted = JSON.stringify(requested);
    const key = `${pod.metadata.uid ?? ""}_${requested}`;
    const failure = this.#failures.get(key);
    const allowedAtMs = failure === undefined ? 0 : this.#backOff.allowedAtMs(key, failure.atMs);
    if (failure !== undefined && clock.elapsed() < allowedAtMs) {
      const message = `Back-off pulling image ${quoted}`;
      this.#events.container(pod, name, "BackOff", message);
      return { reason: "ImagePullBackOff", message: `${message}: ${failure.text}`, retryAtMs: allowedAtMs };
    }
    this.#failures.delete(key);
    this.#events.container(pod, name, "Pulling", `Pulling image ${quoted}`);
    const beganMs = clock.elapsed();
    try {
      const { imageId, found, tookMs } = await this.#queue.run(() => this.#pullNow(pod, image, sandbox));
      const waitedMs = clock.elapsed() - beganMs;
      const times = `in ${goDuration(tookMs)} (${goDuration(waitedMs)} including waiting)`;
      const message = `Successfully pulled image ${quoted} ${times}. Image size: ${found?.sizeBytes ?? 0} bytes.`;
      this.#events.container(pod, name, "Pulled", message);
      metrics?.pulled(found?.sizeBytes ?? 0, tookMs / 1000);
      return found === undefined ? { imageId } : { ...pulled(found), imageId };
    } catch (error) {
      return this.#failed(pod, name, { requested, key }, messageOf(error));
    }
  }

  #failed(pod: Pod, name: string, { requested, key }: { requested: string; key: string }, text: string): ImageProblem {
    const nowMs = this.#options.clock.elapsed();
    this.#events.warning(pod, name, "Failed", `Failed to pull image ${JSON.stringify(requested)}: ${text}`);
    this.#backOff.next(key, nowMs);
    const [reason, message] = reasonOf(requested, text);
    this.#forgetOld(nowMs);
    this.#failures.set(key, { atMs: nowMs, text: `${reason}: ${message}` });
    // Asked again soon, it is told that it has to wait.
    return { reason, message, retryAtMs: nowMs + TELL_MS };
  }

  /** With each of the credentials that fit, until one does. */
  async #pullNow(
    pod: Pod,
    image: string,
    sandbox: PodSandboxConfig | undefined,
  ): Promise<{ readonly imageId: string; readonly found: Image | undefined; readonly tookMs: number }> {
    const { images, clock } = this.#options;
    const common = sandbox === undefined ? {} : { sandbox };
    const keyring = Keyring.of(await this.#secretsOf(pod));
    const credentials = keyring.lookup(parseImageName(image).repository);
    if (!this.#bucket.take()) throw new Error("pull QPS exceeded");
    const beganMs = clock.elapsed();
    const failures: string[] = [];
    for (const auth of credentials.length === 0 ? [undefined] : credentials) {
      try {
        const imageId = await images.pullImage({ image }, auth === undefined ? common : { ...common, auth });
        const tookMs = clock.elapsed() - beganMs;
        return { imageId, found: await images.imageStatus({ image: imageId }), tookMs };
      } catch (error) {
        failures.push(pullText(error));
      }
    }
    const [only = ""] = failures;
    throw new Error(new Set(failures).size === 1 ? only : `[${failures.join(", ")}]`);
  }

  /** Those that cannot be had are left out, which the pod is told of. */
  async #secretsOf(pod: Pod): Promise<readonly Secret[]> {
    const { namespace = "" } = pod.metadata;
    const missing: string[] = [];
    const all = (pod.spec.imagePullSecrets ?? []).map(async ({ name = "" }) => {
      if (name === "") return [];
      const secret = await this.#options.secret(namespace, name).catch(() => undefined);
      if (secret === undefined) missing.push(name);
      return secret === undefined ? [] : [secret];
    });
    const secrets = (await Promise.all(all)).flat();
    if (missing.length > 0) {
      const names = missing.join(", ");
      const message = `Unable to retrieve some image pull secrets (${names}); attempting to pull the image may not succeed.`;
      this.#events.pod(pod, "Warning", "FailedToRetrieveImagePullSecret", message);
    }
    return secrets;
  }

  #problem(reason: string, message: string): ImageProblem {
    return { reason, message, retryAtMs: this.#options.clock.elapsed() + RETRY_MS };
  }

  #forgetOld(nowMs: number): void {
    this.#backOff.forgetOld(nowMs);
    for (const [key, { atMs }] of this.#failures) if (nowMs - atMs > RESTART_DELAY_MAX_MS) this.#failures.delete(key);
  }
}

/** What a container's state says of a pull that failed (upstream's `evalCRIPullErr`). */
function reasonOf(image: string, text: string): readonly [string, string] {
  for (const [reason, words] of Object.entries(KNOWN_ERRORS)) {
    if (text.startsWith(reason)) return [reason, `image pull failed for ${image} because ${words}${text.slice(reason.length)}`];
  }
  return ["ErrImagePull", text];
}

function defaultPolicy(image: string): string {
  return image.endsWith(":latest") ? "Always" : "IfNotPresent";
}

function pulled({ id, uid, username }: Image): PulledImage {
  return { imageId: id, user: { uid, username } };
}

/** As Go writes a time, to the millisecond: `12ms`, `1.234s`, `1m2.5s`. */
function goDuration(ms: number): string {
  const whole = Math.trunc(ms);
  if (whole === 0) return "0s";
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.trunc(whole / 60_000);
  return `${minutes === 0 ? "" : `${minutes}m`}${(whole % 60_000) / 1000}s`;
}
