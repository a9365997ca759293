import type { ClientConnection } from "../endpoints/client-connection.ts";
import type { ResourceRequest } from "../endpoints/response.ts";
import type { RequestInfo, UserInfo } from "../request/request-info.ts";
import type { Exchange, RequestHeaders } from "./exchange.ts";

/** A resource request as handlers see it. The signal is made when somebody asks for it: most requests end before anything could abort them. */
export class HttpResourceRequest implements ResourceRequest {
  readonly user: UserInfo;
  readonly info: RequestInfo;
  readonly userAgent: string;
  readonly query: URLSearchParams;
  readonly warnings: string[];
  readonly method: string;
  readonly headers: RequestHeaders;
  readonly body: Uint8Array;
  readonly connection: ClientConnection;
  readonly annotate?: (key: string, value: string) => void;
  readonly #exchange: Exchange;
  readonly #stopping: AbortSignal;
  #abort: AbortController | undefined;

  constructor(
    exchange: Exchange,
    parts: {
      readonly user: UserInfo;
      readonly info: RequestInfo;
      readonly query: URLSearchParams;
      readonly body: Uint8Array;
      readonly stopping: AbortSignal;
      readonly warnings: string[];
      readonly annotate: ((key: string, value: string) => void) | undefined;
    },
  ) {
    this.#exchange = exchange;
    this.connection = exchange;
    this.#stopping = parts.stopping;
    this.method = exchange.method;
    this.headers = exchange.headers;
    const agent = exchange.headers["user-agent"];
    this.userAgent = typeof agent === "string" ? agent : "";
    this.user = parts.user;
    this.info = parts.info;
    this.query = parts.query;
    this.body = parts.body;
    this.warnings = parts.warnings;
    if (parts.annotate !== undefined) this.annotate = parts.annotate;
  }

  get signal(): AbortSignal {
    if (this.#abort !== undefined) return this.#abort.signal;
    const abort = new AbortController();
    this.#abort = abort;
    const stop = (): void => abort.abort(this.#stopping.reason);
    if (this.#stopping.aborted) stop();
    else {
      this.#stopping.addEventListener("abort", stop, { once: true });
      this.#exchange.onClose(() => {
        this.#stopping.removeEventListener("abort", stop);
        abort.abort(new Error("the client is gone"));
      });
    }
    return abort.signal;
  }
}
