import * as http2 from "node:http2";

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

interface PooledSession {
  readonly session: http2.ClientHttp2Session;
  streams: number;
}

/** Connections to one server: opened on demand, replaced when they break, kept while in use. */
export class Http2Pool {
  #address: ServerAddress;
  readonly #sessions = new Set<PooledSession>();
  #closed = false;

  constructor(address: ServerAddress) {
    this.#address = address;
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

  /** Further requests come with another certificate, over new connections; those under way end in their own time. */
  useCertificate(pair: { readonly cert: string; readonly key: string }): void {
    this.#address = { ...this.#address, ...pair };
    for (const { session } of this.#sessions) session.close();
    this.#sessions.clear();
  }

  close(): void {
    this.#closed = true;
    for (const { session } of this.#sessions) session.destroy();
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
    const pooled: PooledSession = { session, streams: 0 };
    this.#sessions.add(pooled);
    const drop = (): void => {
      this.#sessions.delete(pooled);
    };
    session.on("close", drop);
    session.on("goaway", drop);
    // The streams of a broken session report the failure to their callers.
    session.on("error", drop);
    return pooled;
  }
}
