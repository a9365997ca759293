import { setMaxListeners } from "node:events";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Logger } from "#component-base/logging.ts";
import type { DnsSockets, Upstream } from "../sockets.ts";
import { CLASS_IN, TYPE } from "../wire/dns-codes.ts";
import { writeName } from "../wire/dns-name.ts";
import { forwardedQuery, readForwarded } from "../wire/forwarded-message.ts";
import type { Query } from "../wire/read-query.ts";
import type { Forwarder } from "./forwarder.ts";

/** How often a server is asked that does not answer, and how long it may take, in milliseconds. */
const TRIES = 5;
const TRY_MS = 2_000;

/** Options of {@link LoopProbe}. */
export interface LoopProbeOptions {
  readonly forwarder: Forwarder;
  readonly sockets: DnsSockets;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Finds out which of the other servers ask us in turn, at once or by others: each is asked for a name that nobody else can know of.
 * A question that comes back shows the circle, and its server is asked no more.
 */
export class LoopProbe {
  readonly #options: LoopProbeOptions;
  readonly #names = new Map<string, Upstream>();
  readonly #stopped = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: LoopProbeOptions) {
    this.#options = options;
  }

  /** Asks all; whoever asked back is found out when the question comes. */
  start(): void {
    // Each server's probe listens.
    setMaxListeners(0, this.#stopped.signal);
    this.#running = Promise.all(this.#options.forwarder.upstreams.map((upstream) => this.#probe(upstream)));
  }

  /** Whether the question is one of this probe's own, come back. */
  isOwn(name: string): boolean {
    const upstream = this.#names.size === 0 ? undefined : this.#names.get(name);
    if (upstream === undefined) return false;
    const { forwarder, logger } = this.#options;
    if (forwarder.upstreams.includes(upstream)) {
      logger.error({ upstream }, "this DNS server forwards to itself by way of that server, which is asked no more");
      forwarder.exclude(upstream);
    }
    return true;
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #probe(upstream: Upstream): Promise<void> {
    const { random } = this.#options;
    const name = `${random.uuid()}.${random.int(2 ** 31)}.kybern-loop`;
    this.#names.set(name, upstream);
    for (let i = 0; i < TRIES && !this.#stopped.signal.aborted; i++) if (await this.#isAnswered(upstream, name)) break;
    this.#names.delete(name);
  }

  async #isAnswered(upstream: Upstream, name: string): Promise<boolean> {
    const { sockets, clock, random } = this.#options;
    const query = probeQuery(name);
    const late = new AbortController();
    const abort = (): void => late.abort();
    const timer = clock.setTimeout(abort, TRY_MS, { unref: true });
    this.#stopped.signal.addEventListener("abort", abort, { once: true });
    const id = random.int(0x1_0000);
    try {
      await sockets.exchange("udp", upstream, forwardedQuery(query, id), (bytes) => readForwarded(bytes, query, id), late.signal);
      return true;
    } catch {
      // It is asked again, though not at once when the network itself refuses.
      if (!late.signal.aborted) await clock.sleep(TRY_MS, this.#stopped.signal).catch(() => {});
      return false;
    } finally {
      timer.clear();
      this.#stopped.signal.removeEventListener("abort", abort);
    }
  }
}

function probeQuery(name: string): Query {
  const questionBytes = Buffer.concat([writeName(name) ?? Buffer.of(0), Buffer.of(0, TYPE.HINFO, 0, CLASS_IN)]);
  const question = { name, type: TYPE.HINFO, class: CLASS_IN };
  return { id: 0, recursionDesired: true, checkingDisabled: false, question, questionBytes, edns: undefined };
}
