import type { Clock, Timer } from "#base/clock.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { RuntimeHandler, RuntimeStatus } from "#cri/runtime-status.ts";
import type { Pleg } from "./pleg/pleg.ts";

/** What {@link RuntimeHealth} looks at. */
export interface RuntimeHealthModules {
  readonly runtime: Pick<RuntimeService, "status">;
  readonly clock: Clock;
  readonly pleg: Pick<Pleg, "problem">;
}

/** How often the runtime is asked how it is, in milliseconds. */
const PERIOD_MS = 5000;
/** Without an answer for longer than this it counts as down, in milliseconds (upstream's `maxWaitForContainerRuntime`). */
const SILENT_MS = 30_000;

/** How the runtime is, asked every few seconds (upstream's `runtimeState`). */
export class RuntimeHealth {
  readonly #modules: RuntimeHealthModules;
  #status: RuntimeStatus | undefined;
  #answeredAtMs: number | undefined;
  #timer: Timer | undefined;

  constructor(modules: RuntimeHealthModules) {
    this.#modules = modules;
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

  /** What it told last. */
  get status(): RuntimeStatus | undefined {
    return this.#status;
  }

  /** Why it cannot run containers, in upstream's words; none when it can. */
  runtimeProblems(): readonly string[] {
    const { clock, pleg } = this.#modules;
    const lost = pleg.problem();
    if (this.#answeredAtMs === undefined) return ["container runtime status check may not have completed yet"];
    const isDown = clock.now() - this.#answeredAtMs > SILENT_MS;
    return [
      ...(isDown ? ["container runtime is down"] : []),
      ...this.#conditionProblem("RuntimeReady", "container runtime not ready"),
      ...(lost === undefined ? [] : [`PLEG is not healthy: ${lost}`]),
    ];
  }

  /** Why pods get no network. */
  networkProblems(): readonly string[] {
    return this.#conditionProblem("NetworkReady", "container runtime network not ready");
  }

  #conditionProblem(type: string, words: string): readonly string[] {
    const condition = this.#status?.conditions.find((one) => one.type === type);
    if (condition === undefined || condition.status) return [];
    return [`${words}: ${type}=false reason:${condition.reason} message:${condition.message}`];
  }

  async #ask(): Promise<void> {
    try {
      this.#status = await this.#modules.runtime.status();
      this.#answeredAtMs = this.#modules.clock.now();
    } catch {
      // How long it has not answered is what counts.
    }
  }
}
