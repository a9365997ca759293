import type { Clock } from "#base/clock.ts";
import type { IpFamily } from "../traffic/ip-family.ts";

/** How one family's rules are. Times are milliseconds since the epoch. */
interface FamilyHealth {
  lastUpdatedMs: number;
  /** Since when a change waits to be put in place. */
  queuedMs: number | undefined;
}

/** What `/healthz` tells, by upstream's names. */
export interface HealthReport {
  readonly lastUpdated: string;
  readonly currentTime: string;
  readonly nodeEligible?: boolean;
  readonly healthy: boolean;
  readonly status: Readonly<Record<string, { readonly lastUpdated: string; readonly healthy: boolean }>>;
}

/** Whether changes get into place in time: a proxy that hangs is unhealthy, one that has nothing to do is well. */
export class ProxyHealth {
  readonly #clock: Clock;
  /** How long a change may wait, in milliseconds: upstream takes two periods of synchronization. */
  readonly #timeoutMs: number;
  readonly #families = new Map<IpFamily, FamilyHealth>();

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** A change came for the family's rules. */
  queued(family: IpFamily): void {
    const health = this.#families.get(family);
    if (health !== undefined) health.queuedMs ??= this.#clock.now();
  }

  /** The family's rules are as they should be. */
  updated(family: IpFamily): void {
    this.#families.set(family, { lastUpdatedMs: this.#clock.now(), queuedMs: undefined });
  }

  /** The report; `nodeEligible` is what `/healthz` tells and `/livez` does not. */
  report(nodeEligible?: boolean): HealthReport {
    const now = this.#clock.now();
    const isWell = ({ queuedMs }: FamilyHealth): boolean => queuedMs === undefined || now - queuedMs < this.#timeoutMs;
    const families = [...this.#families];
    const isHealthy = families.every(([, family]) => isWell(family));
    const lastMs = Math.max(0, ...families.map(([, { lastUpdatedMs }]) => lastUpdatedMs));
    const statuses = families.map(([name, family]) => [
      name,
      { lastUpdated: goTime(family.lastUpdatedMs), healthy: isWell(family) },
    ]);
    // Who is well says that it was well just now, as when the rules were written again and again.
    const isWellNow = isHealthy && nodeEligible !== false;
    return {
      lastUpdated: goTime(isWellNow ? now : lastMs),
      currentTime: goTime(now),
      ...(nodeEligible === undefined ? {} : { nodeEligible }),
      healthy: isHealthy,
      status: Object.fromEntries(statuses),
    };
  }
}

/** As Go writes a time; its zero for none. */
function goTime(ms: number): string {
  return ms === 0 ? "0001-01-01T00:00:00Z" : new Date(ms).toISOString();
}
