import type { Pod } from "#api/generated/core/v1.ts";
import type { Rejection } from "./pod-admission.ts";

/** Why a pod is to end, though its spec may say that it runs, and who waits for it. */
export class PodEnd {
  readonly #startedMs: number;
  /** Made when it is asked for: few pods have hooks that wait for it. */
  #going: AbortController | undefined;
  #isGoing = false;
  readonly #waiting: (() => void)[] = [];
  readonly #onRemoved: (() => void)[] = [];
  #failure: Rejection | undefined;
  #graceSecondsMax: number | undefined;
  #isGone = false;
  #hasEnded = false;
  #isRemoved = false;

  /** `startedMs`: when the node took the pod, by `Clock.elapsed`; its deadline counts from then. */
  constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  /** Aborted when the pod is to go: nobody waits for its hooks any more. */
  get going(): AbortSignal {
    this.#going ??= new AbortController();
    if (this.#isGoing) this.#going.abort();
    return this.#going.signal;
  }

  /** Why the node ended it. */
  get failure(): Rejection | undefined {
    return this.#failure;
  }

  /** The pod is gone from where it came from: what is left of it is to go too. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Nothing of it runs any more. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The most that its containers are given to end, in seconds, when the node says so. */
  get graceLimit(): { readonly graceSecondsMax?: number } {
    return this.#graceSecondsMax === undefined ? {} : { graceSecondsMax: this.#graceSecondsMax };
  }

  /** Nobody waits for its hooks any more. */
  go(): void {
    this.#isGoing = true;
    this.#going?.abort();
  }

  /** The node ends it; the first reason counts, and the shortest time. Resolves when nothing of it runs any more. */
  fail(failure: Rejection, graceSeconds?: number): Promise<void> {
    this.#failure ??= failure;
    if (graceSeconds !== undefined) this.#graceSecondsMax = Math.min(this.#graceSecondsMax ?? graceSeconds, graceSeconds);
    this.go();
    return this.#hasEnded ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** It is gone from where it came from. Resolves when nothing is left of it. */
  remove(): Promise<void> {
    this.#isGone = true;
    this.go();
    return this.#isRemoved ? Promise.resolve() : new Promise((resolve) => this.#onRemoved.push(resolve));
  }

  /** Nothing of it runs any more. */
  ended(): void {
    this.#hasEnded = true;
    tellAll(this.#waiting);
  }

  /** Nothing is left of it. */
  removed(): void {
    this.#isRemoved = true;
    tellAll(this.#onRemoved);
  }

  /** When it has run for as long as it may, by `Clock.elapsed`; undefined when it may run for ever. */
  deadlineMs({ spec }: Pod): number | undefined {
    const seconds = spec.activeDeadlineSeconds;
    return seconds === undefined ? undefined : this.#startedMs + seconds * 1000;
  }

  /** The deadline has passed; undefined when it is to end anyway, else why it ends now. */
  passDeadline(): Rejection | undefined {
    if (this.#failure !== undefined) return undefined;
    const message = "Pod was active on the node longer than the specified deadline";
    this.#failure = { reason: "DeadlineExceeded", message };
    return this.#failure;
  }
}

function tellAll(waiting: (() => void)[]): void {
  for (const tell of waiting.splice(0)) tell();
}
