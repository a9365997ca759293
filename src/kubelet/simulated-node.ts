import type { Pod } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { FakeRuntime } from "#cri/fake/fake-runtime.ts";
import { IpPool } from "./ip-pool.ts";
import type { NodeIdentity } from "./node-object.ts";
import { PodWorker, type PodWorkerModules } from "./pod-worker.ts";
import type { StatusManager } from "./status-manager.ts";

/** What all nodes of a process share. */
export interface SharedModules {
  readonly clock: Clock;
  readonly statusManager: StatusManager;
  readonly recorderFor: (nodeName: string) => EventRecorder;
}

/** One node: a pretended runtime, and a worker for each of its pods. */
export class SimulatedNode {
  readonly identity: NodeIdentity;
  readonly #runtime: FakeRuntime;
  readonly #modules: PodWorkerModules;
  readonly #workers = new Map<string, PodWorker>();
  #running = true;

  constructor(identity: NodeIdentity, shared: SharedModules) {
    const { clock, statusManager } = shared;
    this.identity = identity;
    const ips = new IpPool(identity.podCidr);
    this.#runtime = new FakeRuntime({
      clock,
      allocateIp: () => ips.allocate(),
      releaseIp: (ip) => ips.release(ip),
      idPrefix: identity.podCidr
        .split(".")
        .slice(0, 3)
        .map((part) => Number(part).toString(16).padStart(2, "0"))
        .join(""),
    });
    this.#modules = {
      runtime: this.#runtime,
      statusManager,
      recorder: shared.recorderFor(identity.name),
      clock,
      hostIp: identity.hostIp,
    };
    this.#runtime.getContainerEvents(({ type, sandboxId }) => {
      if (type === "CONTAINER_STOPPED_EVENT") void this.#wakeOwner(sandboxId);
    });
  }

  get running(): boolean {
    return this.#running;
  }

  /** A pod of this node is there, or changed. */
  podChanged(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    const worker = this.#workers.get(uid);
    if (worker !== undefined) {
      worker.update(pod);
      return;
    }
    const added = new PodWorker(pod, this.#modules);
    this.#workers.set(uid, added);
    if (this.#running) added.wake();
    else added.pause();
  }

  /** A pod of this node is gone. */
  podRemoved(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    const worker = this.#workers.get(uid);
    this.#workers.delete(uid);
    // The runtime only pretends: removing does not fail.
    void worker?.remove();
  }

  /** The node fails: it neither acts nor tells. Its containers go on. */
  pause(): void {
    this.#running = false;
    for (const worker of this.#workers.values()) worker.pause();
  }

  resume(): void {
    this.#running = true;
    for (const worker of this.#workers.values()) worker.resume();
  }

  /** Ends all timers. */
  close(): void {
    this.pause();
    this.#runtime.close();
  }

  async #wakeOwner(sandboxId: string): Promise<void> {
    const { metadata } = await this.#runtime.podSandboxStatus(sandboxId).catch(() => ({ metadata: { uid: "" } }));
    this.#workers.get(metadata.uid)?.wake();
  }
}
