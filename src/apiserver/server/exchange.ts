import type { PeerIdentity } from "../authentication/peer-identity.ts";
import type { ClientConnection } from "../endpoints/client-connection.ts";
import type { ApiResponse } from "../endpoints/response.ts";

/** Header values by lower-case name. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Headers to send; an array is sent as several lines. */
export type ResponseHeaders = Record<string, string | string[] | number>;

/** One request and the way to answer it, alike for HTTP/1.1 and HTTP/2. */
export interface Exchange extends ClientConnection {
  readonly method: string;
  readonly headers: RequestHeaders;
  /** Who is at the other end, by its certificate; undefined when it showed none. */
  readonly peer: PeerIdentity | undefined;
  /** The same for all requests of a connection; undefined where nobody knows it. */
  readonly connection?: object | undefined;
  /** The whole body, or undefined when it is larger than `limitBytes`. */
  readBody(limitBytes: number): Promise<Buffer | undefined>;
  /** Sends the answer. Only the first call counts. */
  send(status: number, headers: ResponseHeaders, body: ApiResponse["body"]): void;
  /** Asks the client to use another connection for its next request. Called before the answer is sent. */
  endConnection(): void;
  /** Ends the answer where it is; the client sees that it is not whole. */
  abort(): void;
  /** Called once, when the answer is sent or the client is gone. */
  onClose(callback: () => void): void;
  /** One of many requests at once on its connection. */
  readonly isMultiplexed: boolean;
  /** The answer has been begun, or the client is gone. */
  readonly finished: boolean;
}
