import type { Clock, Timer } from "#base/clock.ts";
import type { Client } from "./client.ts";
import { type Fence, fencedClient } from "./fenced-client.ts";
import { type CandidateOptions, LeaseCandidate, RENEW_DEADLINE_MS, RETRY_PERIOD_MS } from "./lease-candidate.ts";

/** Options of {@link runLeaderElection}. */
export interface LeaderElectionOptions extends CandidateOptions {
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

/** Who stands by looks more often: a Lease that is given back shall not lie for long. */
const STANDBY_PERIOD_MAX_MS = 1_000;
/** Longest time that the work of a leader may take to end in order; nothing more is sent after that. */
const WORK_END_MS = 1_000;
/** How long what was sent last may take to be answered; after that the Lease is left to run out. */
const LAST_WRITES_MS = 5_000;

/**
 * Competes for a Lease until the signal is aborted, or leadership is lost: as upstream's elector, which leaves it to
 * the caller to end the process or to stand again. Clocks of candidates need not agree.
 */
export async function runLeaderElection(options: LeaderElectionOptions): Promise<void> {
  const { clock, signal } = options;
  const retryPeriodMs = options.retryPeriodMs ?? RETRY_PERIOD_MS;
  const candidate = new LeaseCandidate(options);
  while (!(await candidate.tryAcquireOrRenew())) {
    if (!(await pause(clock, Math.min(retryPeriodMs, STANDBY_PERIOD_MAX_MS), signal))) return candidate.release();
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
  if (await endsWithin(clock, term.lastWrites(), LAST_WRITES_MS)) return candidate.release();
  options.onNotReleased?.(new Error(`${term.unanswered} writes of the term had no answer within ${LAST_WRITES_MS} ms`));
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

  /** How many writes are on their way. */
  get unanswered(): number {
    return this.#writes.size;
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

/** False when the signal was aborted. */
async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(delayMs, signal);
    return true;
  } catch {
    return false;
  }
}
