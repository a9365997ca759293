import type { Container, Probe } from "#api/generated/core/v1.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { ActionTarget, Handlers } from "./handlers.ts";

/** What probes have found out about a running container. */
export interface ProbeFindings {
  readonly started: boolean;
  readonly ready: boolean;
  /** The probe that wants the container stopped. */
  readonly failed: { readonly kind: "liveness" | "startup"; readonly graceSeconds: number | undefined } | undefined;
}

/** What a {@link ContainerProber} tells and uses. */
export interface ContainerProberModules {
  readonly handlers: Handlers;
  readonly clock: Clock;
  /** Findings changed. */
  readonly onChange: () => void;
  /** A probe failed once more, or went otherwise than it should: reason and message of the event that says so. */
  readonly onProblem: (reason: "Unhealthy" | "ProbeWarning", message: string) => void;
}

type Kind = "startup" | "liveness" | "readiness";
const TITLES = { startup: "Startup", liveness: "Liveness", readiness: "Readiness" } as const;
const DEFAULT_PERIOD_SECONDS = 10;
const DEFAULT_FAILURES = 3;

/** Whether a container has a probe that must be carried out to be known. */
export function needsProber({ startupProbe, livenessProbe, readinessProbe }: Container, handlers: Handlers): boolean {
  return [startupProbe, livenessProbe, readinessProbe].some((probe) => probe !== undefined && handlers.canFail(probe));
}

/**
 * Probes one running container (upstream's `prober` workers): the startup probe first, the others when it has succeeded. It
 * is not alive any more after so many failures in a row; ready after so many successes, not any more after so many failures.
 */
export class ContainerProber {
  readonly #target: ActionTarget;
  readonly #modules: ContainerProberModules;
  readonly #timers = new Map<Kind, Timer>();
  readonly #runs = new Map<Kind, { succeeded: boolean; count: number }>();
  #findings: ProbeFindings;
  /** Kinds that are not carried out any more. */
  readonly #ended = new Set<Kind>();
  #stopped = false;

  /** `startedAtMs` is by `Clock.elapsed`. */
  constructor(target: ActionTarget, startedAtMs: number, modules: ContainerProberModules) {
    this.#target = target;
    this.#modules = modules;
    const { startupProbe, readinessProbe } = target.container;
    this.#findings = { started: startupProbe === undefined, ready: readinessProbe === undefined, failed: undefined };
    const kinds: readonly Kind[] = startupProbe === undefined ? ["liveness", "readiness"] : ["startup"];
    for (const kind of kinds) this.#begin(kind, startedAtMs);
  }

  /** Not ready before it has started. */
  get findings(): ProbeFindings {
    return { ...this.#findings, ready: this.#findings.started && this.#findings.ready };
  }

  /** The container is to end: it is not asked any more whether it lives, only whether it is ready (upstream's `StopLivenessAndStartup`). */
  stopLiveness(): void {
    for (const kind of ["startup", "liveness"] as const) {
      this.#ended.add(kind);
      this.#timers.get(kind)?.clear();
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.clear();
  }

  #probe(kind: Kind): Probe | undefined {
    const { startupProbe, livenessProbe, readinessProbe } = this.#target.container;
    return { startup: startupProbe, liveness: livenessProbe, readiness: readinessProbe }[kind];
  }

  /** The first delay counts from the container's start. */
  #begin(kind: Kind, startedAtMs: number): void {
    const probe = this.#probe(kind);
    if (probe === undefined) return;
    const atMs = startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000;
    this.#wait(kind, probe, Math.max(0, atMs - this.#modules.clock.elapsed()), startedAtMs);
  }

  #wait(kind: Kind, probe: Probe, delayMs: number, startedAtMs: number): void {
    if (this.#stopped || this.#ended.has(kind)) return;
    this.#timers.get(kind)?.clear();
    const timer = this.#modules.clock.setTimeout(() => void this.#look(kind, probe, startedAtMs), delayMs, { unref: true });
    this.#timers.set(kind, timer);
  }

  async #look(kind: Kind, probe: Probe, startedAtMs: number): Promise<void> {
    const { handlers, clock, onProblem } = this.#modules;
    const beganMs = clock.elapsed();
    const result = await handlers.run(probe, this.#target, probe.timeoutSeconds ?? 1);
    const { succeeded, message, isUnknown = false, isWarning = false } = result;
    if (this.#stopped || this.#ended.has(kind)) return;
    const periodMs = (probe.periodSeconds ?? DEFAULT_PERIOD_SECONDS) * 1000;
    const lookAgain = (): void => this.#wait(kind, probe, Math.max(0, beganMs + periodMs - clock.elapsed()), startedAtMs);
    if (isUnknown) {
      onProblem("Unhealthy", `${TITLES[kind]} probe errored and resulted in unknown state: ${message}`);
      lookAgain();
      return;
    }
    if (!succeeded) onProblem("Unhealthy", `${TITLES[kind]} probe failed: ${message}`);
    else if (isWarning) onProblem("ProbeWarning", `${TITLES[kind]} probe warning: ${message}`);
    const before = this.#runs.get(kind);
    const count = before?.succeeded === succeeded ? before.count + 1 : 1;
    this.#runs.set(kind, { succeeded, count });
    const threshold = succeeded ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? DEFAULT_FAILURES);
    if (count >= threshold) this.#conclude(kind, probe, succeeded, startedAtMs);
    if (kind === "startup" && this.#findings.started) return;
    lookAgain();
  }

  #conclude(kind: Kind, probe: Probe, succeeded: boolean, startedAtMs: number): void {
    const before = this.#findings;
    if (kind === "readiness") this.#findings = { ...before, ready: succeeded };
    else if (!succeeded) {
      this.#findings = { ...before, failed: { kind, graceSeconds: probe.terminationGracePeriodSeconds } };
      this.stop();
    } else if (kind === "startup") {
      this.#findings = { ...before, started: true };
      for (const next of ["liveness", "readiness"] as const) this.#begin(next, startedAtMs);
    }
    const after = this.#findings;
    const changed = after.started !== before.started || after.ready !== before.ready || after.failed !== before.failed;
    if (changed) this.#modules.onChange();
  }
}
