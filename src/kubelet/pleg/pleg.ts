import type { Clock, Timer } from "#base/clock.ts";
import { UnimplementedError } from "#cri/cri-error.ts";
import type { ContainerEvent, RuntimeService } from "#cri/runtime-service.ts";
import type { KubeletMetrics } from "../metrics/kubelet-metrics.ts";

/** What {@link Pleg} uses and tells. */
export interface PlegOptions {
  readonly runtime: RuntimeService;
  readonly clock: Clock;
  readonly metrics?: Pick<KubeletMetrics, "relisted">;
  /** Something of a pod changed. */
  readonly onPod: (podUid: string) => void;
}

/** How often everything is listed: where the runtime tells nothing, and where it does, in case it lost something. Milliseconds. */
const RELIST_MS = 1000;
const EVENTED_RELIST_MS = 30_000;
/** How long after the end of the events they are asked for again, in milliseconds. */
const EVENTS_RETRY_MS = 1000;
/** Without a list for longer than this it is not healthy, in milliseconds (upstream's `relistThreshold`). */
const HEALTHY_MS = 180_000;

/**
 * Finds out what changes in the runtime (upstream's pod lifecycle event generator): by its events where it has them, else by
 * listing everything each second and comparing.
 */
export class Pleg {
  readonly #options: PlegOptions;
  /** State of each sandbox and container, with its pod; by id. */
  #seen: ReadonlyMap<string, readonly [string, string]> = new Map();
  #hasEvents = true;
  #isListing = false;
  #listedAtMs: number;
  /** When the last list was begun. */
  #beganMs: number | undefined;
  #timer: Timer | undefined;
  #retry: Timer | undefined;
  #unsubscribe: (() => void) | undefined;
  #stopped = false;

  constructor(options: PlegOptions) {
    this.#options = options;
    this.#listedAtMs = options.clock.elapsed();
  }

  start(): void {
    this.#subscribe();
    void this.#relist();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.clear();
    this.#retry?.clear();
    this.#unsubscribe?.();
  }

  /** Why it does not find out anything, in upstream's words; undefined when it does. */
  problem(): string | undefined {
    const silentMs = this.#options.clock.elapsed() - this.#listedAtMs;
    if (silentMs <= HEALTHY_MS) return undefined;
    return `pleg was last seen active ${Math.floor(silentMs / 1000)}s ago; threshold is 3m0s`;
  }

  #subscribe(): void {
    const { runtime, clock } = this.#options;
    this.#unsubscribe = runtime.getContainerEvents(
      (event) => this.#told(event),
      (error) => {
        this.#hasEvents = false;
        this.#wait(RELIST_MS);
        if (error instanceof UnimplementedError || this.#stopped) return;
        this.#retry = clock.setTimeout(() => this.#subscribeAgain(), EVENTS_RETRY_MS, { unref: true });
      },
    );
  }

  #subscribeAgain(): void {
    if (this.#stopped) return;
    this.#hasEvents = true;
    this.#subscribe();
  }

  /** What is told of a container that is not known yet is found by listing. */
  #told({ sandboxId, containerId }: ContainerEvent): void {
    const podUid = this.#seen.get(sandboxId)?.[0] ?? this.#seen.get(containerId)?.[0];
    if (podUid === undefined) void this.#relist();
    else this.#options.onPod(podUid);
  }

  #wait(delayMs: number): void {
    this.#timer?.clear();
    if (this.#stopped) return;
    this.#timer = this.#options.clock.setTimeout(() => void this.#relist(), delayMs, { unref: true });
  }

  async #relist(): Promise<void> {
    if (this.#isListing || this.#stopped) return;
    this.#isListing = true;
    const { runtime, clock, onPod, metrics } = this.#options;
    const beganMs = clock.elapsed();
    const intervalSeconds = this.#beganMs === undefined ? undefined : (beganMs - this.#beganMs) / 1000;
    this.#beganMs = beganMs;
    try {
      const [sandboxes, containers] = await Promise.all([runtime.listPodSandbox(), runtime.listContainers()]);
      const now = new Map<string, readonly [string, string]>();
      const pods = new Map<string, string>();
      for (const { id, metadata, state } of sandboxes) {
        pods.set(id, metadata.uid);
        now.set(id, [metadata.uid, state]);
      }
      for (const { id, sandboxId, state } of containers) now.set(id, [pods.get(sandboxId) ?? "", state]);
      this.#listedAtMs = clock.elapsed();
      metrics?.relisted(clock.now(), (this.#listedAtMs - beganMs) / 1000, intervalSeconds);
      const changed = changedPods(this.#seen, now);
      this.#seen = now;
      if (!this.#stopped) for (const uid of changed) onPod(uid);
    } catch {
      // The runtime is away: what is known stays, and it is tried again.
    } finally {
      this.#isListing = false;
      this.#wait(this.#hasEvents ? EVENTED_RELIST_MS : RELIST_MS);
    }
  }
}

type Seen = ReadonlyMap<string, readonly [string, string]>;

/** The pods of which something came, went or is in another state. */
export function changedPods(before: Seen, now: Seen): ReadonlySet<string> {
  const changed = new Set<string>();
  for (const [id, [pod, state]] of now) if (before.get(id)?.[1] !== state) changed.add(pod);
  for (const [id, [pod]] of before) if (!now.has(id)) changed.add(pod);
  changed.delete("");
  return changed;
}
