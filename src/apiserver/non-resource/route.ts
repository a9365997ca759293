import type { ApiResponse } from "../endpoints/response.ts";
import type { UserInfo } from "../request/request-info.ts";
import type { RequestHeaders } from "../server/exchange.ts";

/** A request for something that is no resource. */
export interface NonResourceRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: RequestHeaders;
  /** The Accept header; empty for none. */
  readonly accept: string;
  readonly user: UserInfo;
}

/** Answers it. May throw a StatusError. */
export type NonResourceRoute = (request: NonResourceRequest) => ApiResponse | Promise<ApiResponse>;
