import type { Pod } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { PodToken, Sources } from "../inside/sources.ts";
import { uidOf } from "./volume-host.ts";

/** A token is asked for anew so much earlier at random, in milliseconds, that not all are at once. */
const JITTER_MS = 10_000;
/** However long it holds, it is asked for anew after a day. */
const AGE_MS_MAX: number = 24 * 60 * 60 * 1000;

interface Known extends PodToken {
  readonly askedAtMs: number;
  /** The same by `Clock.elapsed`. */
  readonly askedMs: number;
}

/** Tokens of pods' service accounts, kept until it is time for new ones (upstream's `token.Manager`). */
export class ServiceAccountTokens {
  readonly #source: Pick<Sources, "token">;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #pods = new Map<string, Map<string, Known>>();

  constructor(source: Pick<Sources, "token">, modules: { readonly clock: Clock; readonly random: Random }) {
    this.#source = source;
    this.#clock = modules.clock;
    this.#random = modules.random;
  }

  /** The token for an audience. One that still holds does when there can be none anew. */
  async get(pod: Pod, audience: string | undefined, seconds: number): Promise<string> {
    const uid = uidOf(pod);
    const tokens = this.#pods.get(uid) ?? new Map<string, Known>();
    this.#pods.set(uid, tokens);
    const key = `${seconds} ${audience ?? ""}`;
    const known = tokens.get(key);
    if (known !== undefined && !this.#isDue(known)) return known.token;
    try {
      const askedAtMs = this.#clock.now();
      const askedMs = this.#clock.elapsed();
      const fresh = { ...(await this.#source.token(pod, audience, seconds)), askedAtMs, askedMs };
      tokens.set(key, fresh);
      return fresh.token;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (known === undefined) throw new Error(`failed to fetch token: ${why}`, { cause: error });
      if (this.#clock.now() <= (known.expiresAtMs ?? known.refreshAtMs)) return known.token;
      throw new Error(`token expired and refresh failed: ${why}`, { cause: error });
    }
  }

  /** The pod is gone. */
  forget(podUid: string): void {
    this.#pods.delete(podUid);
  }

  /** Its time has come by the clock, or has passed: a clock that is set back does not make a token hold for longer. */
  #isDue({ refreshAtMs, askedAtMs, askedMs }: Known): boolean {
    const lifeMs = Math.min(refreshAtMs - askedAtMs, AGE_MS_MAX) - this.#random.float() * JITTER_MS;
    return this.#clock.now() >= askedAtMs + lifeMs || this.#clock.elapsed() >= askedMs + lifeMs;
  }
}
