import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Logger } from "#component-base/logging.ts";
import type { DnsMetrics } from "../metrics.ts";
import type { DnsProtocol, DnsSockets, Upstream } from "../sockets.ts";
import { type ForwardedMessage, forwardedQuery, readForwarded } from "../wire/forwarded-message.ts";
import type { Query } from "../wire/read-query.ts";
import { AnswerCache, type CachedAnswer } from "./answer-cache.ts";

/** The most questions that wait for other servers at a time, of all clients and of one. */
const WAITING_MAX = 1_000;
const WAITING_OF_CLIENT_MAX = 250;
/** How long one server may take, in milliseconds, and how many are tried. */
const TRY_MS = 2_000;
const TRIES = 3;
/** How long a server that did not answer comes after the others, in milliseconds. */
const SHUNNED_MS = 10_000;

/** Options of {@link Forwarder}. */
export interface ForwarderOptions {
  readonly upstreams: readonly Upstream[];
  readonly sockets: DnsSockets;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: DnsMetrics;
}

/** How a question is forwarded. */
export interface ForwardRequest {
  readonly query: Query;
  /** The address of who asks. */
  readonly client: string;
  /** An answer that is cut short is asked for again over TCP. */
  readonly isWholeWanted: boolean;
}

/** What came of it: `refused` where too many wait or there is nobody to ask, `failed` where nobody answered. */
export type Forwarded = CachedAnswer | "refused" | "failed";

/** Asks other servers, and remembers what they say. The same question is asked once at a time. */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #cache = new AnswerCache();
  readonly #running = new Map<string, Promise<ForwardedMessage | undefined>>();
  readonly #waitingOf = new Map<string, number>();
  readonly #shunnedUntil = new Map<Upstream, number>();
  readonly #exchanges = new Set<AbortController>();
  #isStopped = false;
  #upstreams: readonly Upstream[];
  #waiting = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#upstreams = options.upstreams;
  }

  get upstreams(): readonly Upstream[] {
    return this.#upstreams;
  }

  /** Never asks this one again: it asks us. */
  exclude(upstream: Upstream): void {
    this.#upstreams = this.#upstreams.filter((one) => one !== upstream);
  }

  /** Answers from memory are there at once. Never rejects. */
  ask({ query, client, isWholeWanted }: ForwardRequest): Forwarded | Promise<Forwarded> {
    const { clock, metrics } = this.#options;
    const key = cacheKey(query);
    const cached = this.#cache.get(key, clock.elapsed());
    metrics.cache(cached === undefined ? "miss" : cached.message.isNegative ? "denial" : "success", this.#cache.size);
    if (cached !== undefined) return cached;
    const ofClient = this.#waitingOf.get(client) ?? 0;
    if (this.#upstreams.length === 0) return "refused";
    if (this.#waiting >= WAITING_MAX || ofClient >= WAITING_OF_CLIENT_MAX) {
      metrics.rejected();
      return "refused";
    }
    this.#waiting++;
    this.#waitingOf.set(client, ofClient + 1);
    return this.#wait(key, query, isWholeWanted).finally(() => {
      this.#waiting--;
      const left = (this.#waitingOf.get(client) ?? 1) - 1;
      if (left === 0) this.#waitingOf.delete(client);
      else this.#waitingOf.set(client, left);
    });
  }

  /** Ends what waits. */
  async close(): Promise<void> {
    this.#isStopped = true;
    for (const exchange of this.#exchanges) exchange.abort();
    await Promise.allSettled(this.#running.values());
  }

  async #wait(key: string, query: Query, isWholeWanted: boolean): Promise<Forwarded> {
    const id = isWholeWanted ? `${key} whole` : `${key} ${query.edns?.udpBytes ?? 0}`;
    let running = this.#running.get(id);
    if (running === undefined) {
      running = this.#askAll(query, isWholeWanted).finally(() => this.#running.delete(id));
      this.#running.set(id, running);
    }
    const message = await running;
    if (message === undefined) return "failed";
    this.#cache.set(key, message, this.#options.clock.elapsed());
    return { message, ageSeconds: 0 };
  }

  async #askAll(query: Query, isWholeWanted: boolean): Promise<ForwardedMessage | undefined> {
    let cut: ForwardedMessage | undefined;
    for (const upstream of this.#inOrder().slice(0, TRIES)) {
      if (this.#isStopped) return cut;
      const message = await this.#askOne(upstream, query, "udp");
      if (message === undefined) continue;
      if (!message.truncated || !isWholeWanted) return message;
      cut = message;
      const whole = await this.#askOne(upstream, query, "tcp");
      if (whole !== undefined) return whole;
    }
    return cut;
  }

  /** Begins anywhere, so that all bear the load; those that did not answer come last. Each as often as it takes to make {@link TRIES}. */
  #inOrder(): Upstream[] {
    const { clock, random } = this.#options;
    const now = clock.elapsed();
    const first = random.int(Math.max(1, this.#upstreams.length));
    const turned = [...this.#upstreams.slice(first), ...this.#upstreams.slice(0, first)];
    const isShunned = (upstream: Upstream): boolean => (this.#shunnedUntil.get(upstream) ?? 0) > now;
    const order = [...turned.filter((one) => !isShunned(one)), ...turned.filter(isShunned)];
    while (order.length > 0 && order.length < TRIES) order.push(...order.slice(0, TRIES - order.length));
    return order;
  }

  async #askOne(upstream: Upstream, query: Query, protocol: DnsProtocol): Promise<ForwardedMessage | undefined> {
    const { sockets, random, clock, logger, metrics } = this.#options;
    const [high = 0, low = 0] = random.bytes(2);
    const id = high * 256 + low;
    const exchange = new AbortController();
    this.#exchanges.add(exchange);
    const timer = clock.setTimeout(() => exchange.abort(), TRY_MS, { unref: true });
    const start = clock.elapsed();
    try {
      const accept = (bytes: Buffer): ForwardedMessage | undefined => readForwarded(bytes, query, id);
      const message = await sockets.exchange(protocol, upstream, forwardedQuery(query, id), accept, exchange.signal);
      metrics.forwarded(upstream, message.rcode, (clock.elapsed() - start) / 1000);
      this.#shunnedUntil.delete(upstream);
      return message;
    } catch (error) {
      if (!this.#isStopped) {
        this.#shunnedUntil.set(upstream, clock.elapsed() + SHUNNED_MS);
        logger.debug({ upstream, err: error }, "another DNS server does not answer");
      }
      return undefined;
    } finally {
      timer.clear();
      this.#exchanges.delete(exchange);
    }
  }
}

/** Whatever changes what other servers answer. */
function cacheKey({ question, edns, checkingDisabled }: Query): string {
  const flags = `${edns === undefined ? "-" : edns.dnssecOk ? "d" : "e"}${checkingDisabled ? "c" : ""}`;
  return `${question.type} ${question.class} ${flags} ${question.name}`;
}
