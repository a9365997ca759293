import type { Event } from "#api/generated/core/v1.ts";
import { aggregateMessages, tooManyRequests } from "#apimachinery/api-errors/errors.ts";
import type { AdmissionAttributes, AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import type { Clock } from "#base/clock.ts";
import { OldestFirst } from "#base/oldest-first.ts";

/** A limit on how many events are taken. */
export interface EventLimit {
  /** Of whom all events are counted together. */
  readonly type: "Server" | "Namespace" | "User" | "SourceAndObject";
  /** So many a second, in the long run. */
  readonly qps: number;
  /** So many at once. */
  readonly burst: number;
  /** How many namespaces, users or objects are told apart; the one that was silent longest is forgotten. */
  readonly cacheSize?: number;
}

const DEFAULT_CACHE_SIZE = 4096;

/** Refuses events of those who write too many: upstream's `EventRateLimit`. */
export function eventRateLimit(limits: readonly EventLimit[] = []): AdmissionPluginFactory {
  return ({ clock }) => {
    const buckets = limits.map((limit) => new Buckets(limit, clock));
    return {
      name: "EventRateLimit",
      validate: (attributes) => {
        const { operation, group, resource, subresource, dryRun } = attributes;
        if ((operation !== "CREATE" && operation !== "UPDATE") || dryRun || subresource !== "") return;
        if (resource !== "events" || (group !== "" && group !== "events.k8s.io")) return;
        const refusals = buckets.flatMap((bucket) => bucket.take(attributes) ?? []);
        if (refusals.length > 0) throw tooManyRequests(aggregateMessages(refusals));
      },
    };
  };
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Token buckets, one for each of those who are told apart. */
class Buckets {
  readonly #limit: EventLimit;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();
  readonly #silent = new OldestFirst(this.#buckets);

  constructor(limit: EventLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** What to tell where there is no token left. */
  take(attributes: AdmissionAttributes): string | undefined {
    const { type, qps, burst, cacheSize = DEFAULT_CACHE_SIZE } = this.#limit;
    const key = keyOf(type, attributes);
    const now = this.#clock.elapsed();
    const last = this.#buckets.get(key) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, last.tokens + ((now - last.at) / 1000) * qps);
    const taken = tokens >= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: taken ? tokens - 1 : tokens, at: now });
    while (this.#buckets.size > (cacheSize || DEFAULT_CACHE_SIZE)) this.#buckets.delete(this.#silent.next() ?? key);
    return taken ? undefined : `limit reached on type ${type} for key ${key}`;
  }
}

function keyOf(type: EventLimit["type"], { namespace, context, object }: AdmissionAttributes): string {
  if (type === "Server") return "";
  if (type === "Namespace") return namespace;
  if (type === "User") return context.user.name;
  const { source, involvedObject: about } = object as unknown as Event;
  const parts = [source?.component, source?.host, about?.kind, about?.namespace, about?.name, about?.uid, about?.apiVersion];
  return parts.map((part) => part ?? "").join("");
}
