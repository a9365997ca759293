import type { Duplex, Readable } from "node:stream";

/** The client's side of a request whose bytes go on to another server. */
export interface ClientConnection {
  /** Path and query as sent. */
  readonly url: string;
  /** Address of the other end. */
  readonly remoteAddress: string;
  /** Every line of a header that clients repeat, by lower-case name: values may hold commas. */
  headerLines(name: string): readonly string[];
  /** The body as it comes; undefined when there is none. Who takes it has to read it to its end, or leave it for good. */
  bodyStream(): Readable | undefined;
  /**
   * The connection itself, for another protocol: what the client sent behind the head of its request is read first. Nothing
   * can be answered any more, and the caller has to end it. Undefined where the client did not ask for another protocol, or
   * where the connection is not its alone (HTTP/2).
   */
  takeOver(): Duplex | undefined;
}
