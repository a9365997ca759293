import type { ApiResponse } from "../endpoints/response.ts";
import type { UserInfo } from "../request/request-info.ts";

/** Header values by lower-case name. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Headers to send; an array is sent as several lines. */
export type ResponseHeaders = Record<string, string | string[] | number>;

/** One request and the way to answer it, alike for HTTP/1.1 and HTTP/2. */
export interface Exchange {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: RequestHeaders;
  /** Whom the client certificate of the connection names; undefined without a valid one. */
  readonly certificateUser: UserInfo | undefined;
  /** The whole body, or undefined when it is larger than `limitBytes`. */
  readBody(limitBytes: number): Promise<Buffer | undefined>;
  /** Sends the answer. Only the first call counts. */
  send(status: number, headers: ResponseHeaders, body: ApiResponse["body"]): void;
  /** Called once, when the answer is sent or the client is gone. */
  onClose(callback: () => void): void;
  /** The answer has been begun, or the client is gone. */
  readonly finished: boolean;
}
