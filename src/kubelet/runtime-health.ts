import type { Clock, Timer } from "#base/clock.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { RuntimeHandler, RuntimeStatus } from "#cri/runtime-status.ts";
import { type RuntimeView, runtimeErrors, runtimeProblems } from "./nodestatus/runtime-problems.ts";
import type { Pleg } from "./pleg/pleg.ts";

/** What {@link RuntimeHealth} looks at. */
export interface RuntimeHealthModules {
  readonly runtime: Pick<RuntimeService, "status">;
  readonly clock: Clock;
  readonly pleg: Pick<Pleg, "problem">;
}

/** How often the runtime is asked how it is, in milliseconds. */
const PERIOD_MS = 5000;
/** How long pods may not be looked after before the kubelet says that it is not well, in milliseconds (upstream's `SyncLoopHealthCheck`). */
const SYNC_SILENCE_MAX_MS = 120_000;

/** How the runtime is, asked every few seconds (upstream's `runtimeState`). */
export class RuntimeHealth {
  readonly #modules: RuntimeHealthModules;
  #status: RuntimeStatus | undefined;
  #answeredAtMs: number | undefined;
  #timer: Timer | undefined;
  /** When the runtime last let pods run. */
  #workedAtMs: number;

  constructor(modules: RuntimeHealthModules) {
    this.#modules = modules;
    this.#workedAtMs = modules.clock.elapsed();
  }

  /** Resolves when it has been asked once. */
  async start(): Promise<void> {
    await this.#ask();
    this.#timer = this.#modules.clock.setInterval(() => void this.#ask(), PERIOD_MS, { unref: true });
  }

  stop(): void {
    this.#timer?.clear();
  }

  /** Handlers that it has; none where it is too old to tell. */
  get handlers(): readonly RuntimeHandler[] {
    return this.#status?.handlers ?? [];
  }

  /** What is known of it, for the node's conditions. */
  get view(): RuntimeView {
    return { status: this.#status, answeredAtMs: this.#answeredAtMs };
  }

  /** Why no pods can run, in upstream's words; none when they can. */
  runtimeProblems(): readonly string[] {
    const { clock, pleg } = this.#modules;
    const lost = pleg.problem();
    return [...runtimeProblems(this.view, clock.elapsed()), ...(lost === undefined ? [] : [`PLEG is not healthy: ${lost}`])];
  }

  /** Whether pods are looked after: for a while also while the runtime lets none run, and always without a network for them. */
  isSyncing(): boolean {
    const { clock, pleg } = this.#modules;
    const now = clock.elapsed();
    if (runtimeErrors(this.view, now).length === 0 && pleg.problem() === undefined) this.#workedAtMs = now;
    return now - this.#workedAtMs < SYNC_SILENCE_MAX_MS;
  }

  /** Why pods get no network of their own. */
  networkProblem(): string | undefined {
    const condition = this.#status?.conditions.find(({ type }) => type === "NetworkReady");
    if (condition === undefined || condition.status) return undefined;
    const { type, reason, message } = condition;
    return `container runtime network not ready: ${type}=false reason:${reason} message:${message}`;
  }

  async #ask(): Promise<void> {
    try {
      this.#status = await this.#modules.runtime.status();
      this.#answeredAtMs = this.#modules.clock.elapsed();
    } catch {
      // How long it has not answered is what counts.
    }
    this.isSyncing();
  }
}
