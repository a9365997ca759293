/**
 * Whether the other side of an HTTP/2 connection lives. One that has answered a ping and sent nothing of a stream afterwards is not asked
 * again, and is no silent one: gRPC's servers in Go close connections on which there are too many pings, and begin to count anew with
 * whatever they send on a stream (`handlePing` of its `http2_server.go`).
 */
export class Http2Pings {
  readonly #send: () => void;
  readonly #unanswered: (() => void)[] = [];
  /** Pieces that have come in. */
  #heard = 0;
  /** A stream's frame has come in since the other side was last asked. */
  #hasSpoken = true;

  /** `send` sends a ping. */
  constructor(send: () => void) {
    this.#send = send;
  }

  /** Something has come in. */
  heard(): void {
    this.#heard++;
  }

  /** What came in belongs to a stream. */
  spoken(): void {
    this.#hasSpoken = true;
  }

  ping(onAnswer: () => void): void {
    this.#unanswered.push(onAnswer);
    this.#hasSpoken = false;
    this.#send();
  }

  answered(): void {
    this.#unanswered.shift()?.();
  }

  /** Asks where that is allowed, and gives a function that says whether the other side has been silent since. */
  ask(): () => boolean {
    if (this.#unanswered.length === 0 && this.#hasSpoken) this.ping(() => undefined);
    if (this.#unanswered.length === 0) return () => false;
    const before = this.#heard;
    return () => this.#heard === before;
  }
}
