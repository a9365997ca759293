import type { RequestContext } from "../request/request-info.ts";
import type { ClientConnection } from "./client-connection.ts";

/** Where a streamed answer goes: one HTTP response. */
export interface ResponseSink {
  /** Returns false when the peer is slow and the caller should wait for {@link ResponseSink.onDrain}. */
  write(chunk: Uint8Array | string): boolean;
  end(): void;
  /** Called each time the buffer has emptied after `write` returned false. */
  onDrain(callback: () => void): void;
  /** Called once, when the peer is gone or the response has ended. */
  onClose(callback: () => void): void;
  /** Breaks off, so that the peer knows that something is missing. */
  abort(): void;
}

/** A body that is written over time: a watch. `start` is called once, after the head has been sent. */
export interface ResponseStream {
  start(sink: ResponseSink): void;
}

/** What a handler answers. Header names are in lower case; `content-length` is the server's business. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Headers of another server's answer, each line by itself: added to those of `headers`. */
  readonly headerLines?: Readonly<Record<string, readonly string[]>>;
  /** An array is sent as one body, chunk after chunk, without being joined. */
  readonly body: string | Uint8Array | readonly Uint8Array[] | ResponseStream;
  /** The body is an object of the API as JSON, which is set out in lines for people. */
  readonly indentable?: boolean;
  /** The connection has been taken over, and the answer sent on it: nothing of this is sent, `status` is for those who keep records. */
  readonly takenOver?: boolean;
}

/** An authenticated and authorized request for a resource. Header names are in lower case. */
export interface ResourceRequest extends RequestContext {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The whole body; empty for none. The server has enforced the size limit (413) before. */
  readonly body: Uint8Array;
  /** For what streams both ways; absent for requests within the process. */
  readonly connection?: ClientConnection;
}

/** Answers every resource request; failures become Status answers, it never rejects. `context.warnings` are for the server to send as headers. */
export type HandleResourceRequest = (request: ResourceRequest) => Promise<ApiResponse>;

/** Tells a streamed body from a complete one. */
export function isResponseStream(body: ApiResponse["body"]): body is ResponseStream {
  return typeof body === "object" && !(body instanceof Uint8Array) && !Array.isArray(body) && "start" in body;
}
