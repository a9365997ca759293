import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Clock, Timer } from "#base/clock.ts";
import { type NextTurn, nextTurn } from "#base/turn.ts";
import { COSTLY_FRAMES_MAX, COSTLY_FRAMES_PER_SECOND, IDLE_CONNECTION_MS } from "./limits.ts";

/** What is known of one HTTP/2 connection. */
interface Session {
  /** Streams that are open. */
  open: number;
  /** Since when none is. */
  idleSince: number;
  /** How many more costly frames it may send at once. */
  credit: number;
  creditAt: number;
  isEnding: boolean;
}

/** How often connections without requests are looked for. */
const SWEEP_PERIOD_MS = 15_000;

/**
 * Ends HTTP/2 connections that cost the server more than their client: requests that are taken back before their answer,
 * by the client or because they broke the protocol (CVE-2023-44487, CVE-2025-8671), pings and settings that have to be
 * answered (CVE-2019-9512, CVE-2019-9515); and those without a request for long, as upstream's `IdleTimeout`. What is
 * wrong with frames themselves, nghttp2 ends.
 */
export class SessionGuard {
  readonly #clock: Clock;
  readonly #later: NextTurn;
  readonly #sessions = new Map<ServerHttp2Session, Session>();
  readonly #sweep: Timer;

  constructor(clock: Clock, later: NextTurn = nextTurn) {
    this.#clock = clock;
    this.#later = later;
    this.#sweep = clock.setInterval(() => this.#endIdle(), SWEEP_PERIOD_MS, { unref: true });
  }

  /** Looks after a new connection until it ends. */
  add(session: ServerHttp2Session): void {
    const now = this.#clock.elapsed();
    const known: Session = { open: 0, idleSince: now, credit: COSTLY_FRAMES_MAX, creditAt: now, isEnding: false };
    this.#sessions.set(session, known);
    const spend = (): void => this.#spend(session, known);
    session.on("ping", spend);
    session.on("remoteSettings", spend);
    session.on("close", () => this.#sessions.delete(session));
    const streamClosed = (stream: ServerHttp2Stream): void => {
      if (--known.open === 0) known.idleSince = this.#clock.elapsed();
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) spend();
    };
    session.on("stream", (stream: ServerHttp2Stream) => {
      known.open++;
      stream.once("close", () => streamClosed(stream));
    });
  }

  /** Looks after nothing any more. */
  stop(): void {
    this.#sweep.clear();
  }

  #spend(session: ServerHttp2Session, known: Session): void {
    const now = this.#clock.elapsed();
    const more = ((now - known.creditAt) / 1000) * COSTLY_FRAMES_PER_SECOND;
    known.credit = Math.min(COSTLY_FRAMES_MAX, known.credit + more) - 1;
    known.creditAt = now;
    // Not one later: nghttp2 has then gone silent because of as many requests taken back, and would leave the socket open.
    if (known.credit > 0 || known.isEnding) return;
    known.isEnding = true;
    // Not within the reading of what came: Node gives up then ("current_nghttp2_memory_"), and the process with it.
    this.#later(() => session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM));
  }

  #endIdle(): void {
    const oldest = this.#clock.elapsed() - IDLE_CONNECTION_MS;
    for (const [session, { open, idleSince }] of this.#sessions) {
      if (open > 0 || idleSince > oldest) continue;
      // The second time it does not want to hear of it.
      if (session.closed) session.destroy();
      else session.close();
    }
  }
}
