import { StatusError } from "#apimachinery/api-errors/status.ts";
import { formatMicroTime } from "#apimachinery/meta/time.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { Client, ResourceId } from "./client.ts";

/** Names the Lease that candidates compete for. */
export interface LeaseName {
  readonly namespace: string;
  readonly name: string;
}

/** How a program stands for election: upstream's `--leader-elect-*`. Durations in milliseconds. */
export interface ElectionSettings {
  readonly lease?: LeaseName;
  /** Others wait this long after the last renewal that they saw. 15 s when absent. */
  readonly leaseDurationMs?: number;
  /** A leader that could not renew for this long steps down. 10 s when absent. */
  readonly renewDeadlineMs?: number;
  /** Between tries. 2 s when absent. */
  readonly retryPeriodMs?: number;
  /** Someone else, or this candidate, was seen to lead. */
  readonly onNewLeader?: (identity: string) => void;
  /** The Lease was not given back, and why: others have to wait until it has run out. */
  readonly onNotReleased?: (reason: Error) => void;
}

/** Who stands for election, and for which Lease. */
export interface CandidateOptions extends ElectionSettings {
  readonly client: Client;
  readonly clock: Clock;
  /** Unique among the candidates. */
  readonly identity: string;
  readonly lease: LeaseName;
}

interface Lease {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; resourceVersion?: string };
  spec: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
const LEASE_DURATION_MS = 15_000;
/** Default of {@link ElectionSettings.renewDeadlineMs}. */
export const RENEW_DEADLINE_MS = 10_000;
/** Default of {@link ElectionSettings.retryPeriodMs}. */
export const RETRY_PERIOD_MS = 2_000;
/** No request about the Lease takes longer than half of the renew deadline, as upstream's, and this long at least. */
const REQUEST_TIMEOUT_MIN_MS = 1_000;
/** A released Lease may be taken at once; upstream writes 1 s. */
const RELEASED_LEASE_SECONDS = 1;
/** Somebody may change the Lease between the reading of it and the release, and a server may have no leader of its store just then. */
const RELEASE_TRIES_MAX = 3;
const CONFLICT = 409;
const TOO_MANY_REQUESTS = 429;
const SERVER_ERROR = 500;

/** What a candidate does to the Lease: gets it, renews it and gives it back. */
export class LeaseCandidate {
  readonly #options: CandidateOptions;
  readonly #durationMs: number;
  readonly #requestTimeoutMs: number;
  #observed: Lease | undefined;
  #observedMs = 0;
  /** When the last request was made that got or renewed the Lease. */
  renewedMs = 0;
  #leader: string | undefined;
  /** The Lease was this candidate's when it was read last, or was asked for since, whatever came of that. */
  #mayHold = false;

  constructor(options: CandidateOptions) {
    this.#options = options;
    this.#durationMs = options.leaseDurationMs ?? LEASE_DURATION_MS;
    this.#requestTimeoutMs = Math.max(REQUEST_TIMEOUT_MIN_MS, (options.renewDeadlineMs ?? RENEW_DEADLINE_MS) / 2);
  }

  /** Somebody else holds the Lease. */
  get lost(): boolean {
    return this.#observed !== undefined && this.#observed.spec.holderIdentity !== this.#options.identity;
  }

  /** True when this candidate holds the Lease afterwards. Failures of the API count as not holding it. */
  async tryAcquireOrRenew(): Promise<boolean> {
    const askedMs = this.#options.clock.elapsed();
    try {
      const holds = await this.#tryOnce();
      if (holds) this.renewedMs = askedMs;
      return holds;
    } catch {
      return false;
    }
  }

  /**
   * Gives the Lease back where it may be this candidate's. It is read anew, as it is upstream: a renewal that was not answered may have been
   * made. All of it takes the renew deadline at most, as upstream's; afterwards the Lease runs out by itself.
   */
  async release(): Promise<void> {
    if (!this.#mayHold) return;
    const { clock, renewDeadlineMs = RENEW_DEADLINE_MS, retryPeriodMs = RETRY_PERIOD_MS, onNotReleased } = this.#options;
    const untilMs = clock.elapsed() + renewDeadlineMs;
    for (let tries = 1; ; tries++) {
      try {
        return await this.#releaseOnce(untilMs);
      } catch (error) {
        if (tries === RELEASE_TRIES_MAX || !mayBeTriedAgain(error)) return onNotReleased?.(error as Error);
        if ((error as StatusError).code !== CONFLICT)
          await clock.sleep(Math.max(0, Math.min(retryPeriodMs, untilMs - clock.elapsed())));
      }
    }
  }

  async #releaseOnce(untilMs: number): Promise<void> {
    const { client, clock, lease: name } = this.#options;
    const remainingMs = (): number => untilMs - clock.elapsed();
    const lease = await this.#inTime(client.get<Lease>(LEASES, name.namespace, name.name), remainingMs());
    this.#observe(lease);
    if (this.lost) return;
    const now = formatMicroTime(clock.now());
    const released = { holderIdentity: "", leaseDurationSeconds: RELEASED_LEASE_SECONDS, renewTime: now, acquireTime: now };
    await this.#write({ ...lease, spec: { ...lease.spec, ...released } }, remainingMs());
  }

  async #tryOnce(): Promise<boolean> {
    const { client, clock, identity, lease: name } = this.#options;
    let lease: Lease;
    try {
      lease = await this.#inTime(client.get<Lease>(LEASES, name.namespace, name.name));
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 404) throw error;
      this.#mayHold = true;
      const created = client.create<Lease>(LEASES, name.namespace, {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: { name: name.name, namespace: name.namespace },
        spec: this.#spec(0, formatMicroTime(clock.now())),
      });
      this.#observe(await this.#inTime(created));
      return true;
    }
    const seen = this.#observed;
    if (seen === undefined || seen.metadata.resourceVersion !== lease.metadata.resourceVersion) this.#observe(lease);
    const { holderIdentity = "", leaseDurationSeconds = 0, leaseTransitions = 0, acquireTime } = lease.spec;
    const holds = holderIdentity === identity;
    this.#mayHold = holds;
    const validUntilMs = this.#observedMs + leaseDurationSeconds * 1000;
    if (!holds && holderIdentity !== "" && validUntilMs > clock.elapsed()) return false;
    const now = formatMicroTime(clock.now());
    this.#mayHold = true;
    const spec = holds ? this.#spec(leaseTransitions, acquireTime ?? now) : this.#spec(leaseTransitions + 1, now);
    await this.#write({ ...lease, spec: { ...lease.spec, ...spec } });
    return true;
  }

  #spec(leaseTransitions: number, acquireTime: string): Lease["spec"] {
    return {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: Math.round(this.#durationMs / 1000),
      acquireTime,
      renewTime: formatMicroTime(this.#options.clock.now()),
      leaseTransitions,
    };
  }

  async #write(lease: Lease, timeoutMs?: number): Promise<void> {
    const { client, lease: name } = this.#options;
    this.#observe(await this.#inTime(client.update<Lease>(LEASES, name.namespace, name.name, lease), timeoutMs));
  }

  /** Rejects where an answer takes longer; by default so long that there would be no time for another try. */
  async #inTime<T>(answer: Promise<T>, timeoutMs: number = this.#requestTimeoutMs): Promise<T> {
    const { clock } = this.#options;
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = clock.setTimeout(() => reject(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      timer?.clear();
    }
  }

  #observe(lease: Lease): void {
    this.#observed = lease;
    this.#observedMs = this.#options.clock.elapsed();
    const leader = lease.spec.holderIdentity ?? "";
    if (leader === this.#leader) return;
    this.#leader = leader;
    if (leader !== "") this.#options.onNewLeader?.(leader);
  }
}

/** A conflict, or an answer that says that the server cannot do it just now. */
function mayBeTriedAgain(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  return error.code === CONFLICT || error.code === TOO_MANY_REQUESTS || error.code >= SERVER_ERROR;
}
