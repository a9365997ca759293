import * as http2 from "node:http2";
import type { Clock, Timer } from "#base/clock.ts";
import { endSession, endSessions } from "#base/end-session.ts";

/** How to reach an API server. PEM texts. */
export interface ServerAddress {
  /** `https://host:port`. */
  readonly server: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Streams on one connection before another is opened; upstream's server allows 250. */
const STREAMS_PER_SESSION_MAX = 200;
/** Several LISTs of tens of megabytes may be on their way at once. Megabytes. */
const SESSION_MEMORY_MAX = 1000;
/** As client-go's dialer. */
const CONNECT_TIMEOUT_MS = 30_000;
/** As client-go's `HTTP2_READ_IDLE_TIMEOUT_SECONDS` and `HTTP2_PING_TIMEOUT_SECONDS`. */
const PING_PERIOD_MS = 30_000;
const PING_TIMEOUT_MS = 15_000;

interface PooledSession {
  readonly session: http2.ClientHttp2Session;
  streams: number;
  /** Resolves when there is a connection, and rejects when there will be none. */
  readonly connected: Promise<void>;
}

/** Connections to one server: opened on demand, replaced when they break, kept while in use. */
export class Http2Pool {
  #address: ServerAddress;
  readonly #sessions = new Set<PooledSession>();
  readonly #clock: Clock;
  #closed = false;

  constructor(address: ServerAddress, clock: Clock) {
    this.#address = address;
    this.#clock = clock;
  }

  /** Sends a request. Failure to connect shows as the stream's `error`. */
  request(headers: http2.OutgoingHttpHeaders, body: string | undefined): http2.ClientHttp2Stream {
    if (this.#closed) throw new Error("client is closed");
    const pooled = this.#pick();
    // Without being told, node ends a DELETE before its body.
    const stream = pooled.session.request(headers, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    if (pooled.streams === 0) pooled.session.ref();
    pooled.streams++;
    stream.once("close", () => {
      pooled.streams--;
      if (pooled.streams === 0 && !pooled.session.destroyed) pooled.session.unref();
    });
    return stream;
  }

  /** What is waited for before a request goes on its way: undefined when it would now. Rejects when there is no connection. */
  connected(): Promise<void> | undefined {
    if (this.#closed) throw new Error("client is closed");
    const { session, connected } = this.#pick();
    return session.connecting ? connected : undefined;
  }

  /** Further requests come with another certificate, over new connections; those under way end in their own time. */
  useCertificate(pair: { readonly cert: string; readonly key: string }): void {
    this.#address = { ...this.#address, ...pair };
    for (const { session } of this.#sessions) session.close();
    this.#sessions.clear();
  }

  /** Ends the connections and what is under way on them; a moment later, as the caller may have gone on from an answer on one. */
  close(): void {
    this.#closed = true;
    void endSessions(Array.from(this.#sessions, ({ session }) => session));
    this.#sessions.clear();
  }

  #pick(): PooledSession {
    for (const pooled of this.#sessions) {
      if (pooled.streams < STREAMS_PER_SESSION_MAX && !pooled.session.closed && !pooled.session.destroyed) return pooled;
    }
    return this.#open();
  }

  #open(): PooledSession {
    const { server, ca, cert, key } = this.#address;
    const session = http2.connect(server, {
      maxSessionMemory: SESSION_MEMORY_MAX,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
    const connected = new Promise<void>((resolve, reject) => {
      session.once("connect", () => resolve());
      session.once("error", reject);
      session.once("close", () => reject(new Error("the connection closed before it was made")));
    });
    // Nobody need wait for it.
    connected.catch(() => undefined);
    const pooled: PooledSession = { session, streams: 0, connected };
    this.#sessions.add(pooled);
    const drop = (): void => {
      this.#sessions.delete(pooled);
    };
    session.on("close", drop);
    session.on("goaway", drop);
    // The streams of a broken session report the failure to their callers.
    session.on("error", drop);
    this.#watchOver(pooled);
    return pooled;
  }

  /** Ends a connection whose other side has gone without a word: a watch would wait for ever. */
  #watchOver(pooled: PooledSession): void {
    const { session } = pooled;
    const end = (why: string): void => {
      this.#sessions.delete(pooled);
      void endSession(session, new Error(why));
    };
    const connecting = this.#clock.setTimeout(() => end("no connection in time"), CONNECT_TIMEOUT_MS, { unref: true });
    let asking: Timer | undefined;
    const ask = (): void => {
      if (session.connecting || session.destroyed || asking !== undefined) return;
      asking = this.#clock.setTimeout(() => end("the connection was lost: no answer to a ping"), PING_TIMEOUT_MS, {
        unref: true,
      });
      session.ping(() => {
        asking?.clear();
        asking = undefined;
      });
    };
    const pinging = this.#clock.setInterval(ask, PING_PERIOD_MS, { unref: true });
    session.once("connect", () => connecting.clear());
    session.once("close", () => {
      for (const timer of [connecting, pinging, asking]) timer?.clear();
    });
  }
}
