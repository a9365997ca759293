import { StatusError } from "#apimachinery/api-errors/status.ts";
import { formatMicroTime } from "#apimachinery/meta/time.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { Client, ResourceId } from "./client.ts";
import { type Fence, fencedClient } from "./fenced-client.ts";

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
}

/** Options of {@link runLeaderElection}. */
export interface LeaderElectionOptions extends ElectionSettings {
  readonly client: Client;
  readonly clock: Clock;
  /** Unique among the candidates. */
  readonly identity: string;
  readonly lease: LeaseName;
  /** Ends the candidacy and gives the Lease back. */
  readonly signal: AbortSignal;
  /** Runs once when elected. */
  readonly onStartedLeading: (term: LeadershipTerm) => void;
  /**
   * The Lease is given back when what this returns has ended, or a second later; but not before the last writes of a
   * {@link LeadershipTerm.fence | fenced} client were answered.
   */
  readonly onStoppedLeading?: () => unknown;
}

/** The time in which a candidate leads. */
export interface LeadershipTerm {
  /** Ends with it. */
  readonly signal: AbortSignal;
  /**
   * Whether nobody else can lead at this moment. A process that stood still, or was cut off, knows it by this before its signal has
   * ended.
   */
  holds(): boolean;
  /** A client that asks that before each write, and whose writes are waited for before the Lease is given back. */
  fence(client: Client): Client;
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
const RENEW_DEADLINE_MS = 10_000;
const RETRY_PERIOD_MS = 2_000;
/** Who stands by looks more often: a Lease that is given back shall not lie for long. */
const STANDBY_PERIOD_MAX_MS = 1_000;
/** Longest time that the work of a leader may take to end in order; nothing more is sent after that. */
const WORK_END_MS = 1_000;
/** How long what was sent last may take to be answered; after that the Lease is left to run out. */
const LAST_WRITES_MS = 5_000;
/** No request about the Lease takes longer than half of the renew deadline, as upstream's, and this long at least. */
const REQUEST_TIMEOUT_MIN_MS = 1_000;
/** A released Lease may be taken at once; upstream writes 1 s. */
const RELEASED_LEASE_SECONDS = 1;
/** Somebody may change the Lease between the reading of it and the release. */
const RELEASE_TRIES_MAX = 3;

/**
 * Competes for a Lease until the signal is aborted, or leadership is lost: as upstream's elector, which leaves it to
 * the caller to end the process or to stand again. Clocks of candidates need not agree.
 */
export async function runLeaderElection(options: LeaderElectionOptions): Promise<void> {
  const { clock, signal } = options;
  const retryPeriodMs = options.retryPeriodMs ?? RETRY_PERIOD_MS;
  const candidate = new Candidate(options);
  while (!(await candidate.tryAcquireOrRenew())) {
    if (!(await pause(clock, Math.min(retryPeriodMs, STANDBY_PERIOD_MAX_MS), signal))) return;
  }
  // Who was told to stop while it was being elected does not begin.
  if (signal.aborted) return candidate.release();
  const term = new Term(clock, options.renewDeadlineMs ?? RENEW_DEADLINE_MS, candidate.renewedMs);
  options.onStartedLeading({ signal: term.signal, holds: () => term.holds(), fence: (client) => fencedClient(client, term) });
  const either = AbortSignal.any([signal, term.signal]);
  while (await pause(clock, retryPeriodMs, either)) {
    if (await candidate.tryAcquireOrRenew()) term.extend(candidate.renewedMs);
    else if (candidate.lost) break;
  }
  term.stop();
  const work = Promise.resolve(options.onStoppedLeading?.());
  await endsWithin(clock, work, WORK_END_MS);
  term.end();
  // What was sent may still be written: until that has been answered nobody else may begin.
  if (await endsWithin(clock, term.lastWrites(), LAST_WRITES_MS)) await candidate.release();
}

/** Whether the work ends in time; true where it has failed. */
async function endsWithin(clock: Clock, work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const ended = new AbortController();
  const late = pause(clock, timeoutMs, ended.signal).then((isLate) => !isLate);
  const done = work.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    ended.abort();
  }
}

/** Ends by itself when it is not extended in time, whatever the answers do that are waited for. */
class Term implements Fence {
  readonly #clock: Clock;
  readonly #renewDeadlineMs: number;
  readonly #leading = new AbortController();
  #untilMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  readonly #writes = new Set<Promise<unknown>>();

  constructor(clock: Clock, renewDeadlineMs: number, renewedMs: number) {
    this.#clock = clock;
    this.#renewDeadlineMs = renewDeadlineMs;
    this.extend(renewedMs);
  }

  get signal(): AbortSignal {
    return this.#leading.signal;
  }

  holds(): boolean {
    return this.#clock.elapsed() < this.#untilMs;
  }

  async track<T>(write: Promise<T>): Promise<T> {
    this.#writes.add(write);
    try {
      return await write;
    } finally {
      this.#writes.delete(write);
    }
  }

  /** Resolves when all that was sent is answered. */
  async lastWrites(): Promise<void> {
    await Promise.allSettled(this.#writes);
  }

  /** `renewedMs` is when the renewal was asked for: others count from later on. */
  extend(renewedMs: number): void {
    if (this.signal.aborted) return;
    this.#untilMs = renewedMs + this.#renewDeadlineMs;
    this.#timer?.clear();
    this.#timer = this.#clock.setTimeout(() => this.stop(), Math.max(0, this.#untilMs - this.#clock.elapsed()));
  }

  /** The work is to end; what it still has to write it may, for as long as nobody else leads. */
  stop(): void {
    this.#timer?.clear();
    this.#leading.abort(new Error("leadership ended"));
  }

  /** The Lease is about to be another's. */
  end(): void {
    this.#untilMs = Number.NEGATIVE_INFINITY;
  }
}

class Candidate {
  readonly #options: LeaderElectionOptions;
  readonly #durationMs: number;
  #observed: Lease | undefined;
  #observedMs = 0;
  /** When the last request was made that got or renewed the Lease. */
  renewedMs = 0;
  #leader: string | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#durationMs = options.leaseDurationMs ?? LEASE_DURATION_MS;
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

  /** Read anew, as it is upstream: a renewal that was not answered may have been made. */
  async release(): Promise<void> {
    if (this.#observed === undefined) return;
    for (let tries = 0; tries < RELEASE_TRIES_MAX; tries++) {
      try {
        await this.#releaseOnce();
        return;
      } catch (error) {
        // Without an answer the Lease runs out by itself.
        if (!(error instanceof StatusError) || error.code !== 409) return;
      }
    }
  }

  async #releaseOnce(): Promise<void> {
    const { client, clock, lease: name } = this.#options;
    const lease = await this.#inTime(client.get<Lease>(LEASES, name.namespace, name.name));
    this.#observe(lease);
    if (this.lost) return;
    const now = formatMicroTime(clock.now());
    const released = { holderIdentity: "", leaseDurationSeconds: RELEASED_LEASE_SECONDS, renewTime: now, acquireTime: now };
    await this.#write({ ...lease, spec: { ...lease.spec, ...released } });
  }

  async #tryOnce(): Promise<boolean> {
    const { client, clock, identity, lease: name } = this.#options;
    let lease: Lease;
    try {
      lease = await this.#inTime(client.get<Lease>(LEASES, name.namespace, name.name));
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 404) throw error;
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
    const validUntilMs = this.#observedMs + leaseDurationSeconds * 1000;
    if (!holds && holderIdentity !== "" && validUntilMs > clock.elapsed()) return false;
    const now = formatMicroTime(clock.now());
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

  async #write(lease: Lease): Promise<void> {
    const { client, lease: name } = this.#options;
    this.#observe(await this.#inTime(client.update<Lease>(LEASES, name.namespace, name.name, lease)));
  }

  /** Rejects where an answer takes so long that there would be no time for another try. */
  async #inTime<T>(answer: Promise<T>): Promise<T> {
    const { clock, renewDeadlineMs = RENEW_DEADLINE_MS } = this.#options;
    const timeoutMs = Math.max(REQUEST_TIMEOUT_MIN_MS, renewDeadlineMs / 2);
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

/** False when the signal was aborted. */
async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(delayMs, signal);
    return true;
  } catch {
    return false;
  }
}
