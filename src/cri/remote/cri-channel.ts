import type { Clock } from "#base/clock.ts";
import { GrpcChannel, type GrpcStream } from "#base/grpc/grpc-channel.ts";
import { DEADLINE_EXCEEDED, GrpcError, NOT_FOUND, UNAVAILABLE, UNIMPLEMENTED } from "#base/grpc/grpc-error.ts";
import { FRAME_HEAD_BYTES } from "#base/grpc/message-writer.ts";
import { NotFoundError, UnimplementedError } from "../cri-error.ts";
import { decode, encode } from "./codec.ts";
import type { MessageName, MessageRead, MessageWritten } from "./schema/messages.ts";

/** Runtimes take calls under this name only, whatever their socket is. */
const AUTHORITY = "http://localhost";
/** Longest time for a call, as kubelets are configured by default. */
export const CALL_TIMEOUT_MS = 120_000;

/** Why there is no connection, in Go's words. */
const CONNECT_FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
};
/** What is said here of a connection that ended before the answer. */
const LOST = /^the connection to .* was lost$|ECONNRESET|EPIPE|^the server gave no answer$/;

/** Names of calls with one message in each direction, which are called after the call. */
export type Method = {
  [N in MessageName]: N extends `${infer M}Request` ? (`${M}Response` extends MessageName ? M : never) : never;
}[MessageName];
/** The name of what a call takes. */
export type RequestName<M extends Method> = Extract<`${M}Request`, MessageName>;
/** The name of what a call gives. */
export type ResponseName<M extends Method> = Extract<`${M}Response`, MessageName>;

/** Calls of CRI v1 over a runtime's socket. The connection is made when it is needed, and anew when the runtime was restarted. */
export class CriChannel {
  readonly #socketPath: string;
  readonly #channel: GrpcChannel;

  constructor(socketPath: string, clock: Clock) {
    this.#socketPath = socketPath;
    this.#channel = new GrpcChannel({ url: AUTHORITY, tls: {}, clock, socketPath });
  }

  /** Rejects with `NotFoundError`, `UnimplementedError`, or else a `GrpcError`. `timeoutMs` may be infinite. */
  async call<M extends Method>(
    service: "RuntimeService" | "ImageService",
    method: M,
    request: MessageWritten<RequestName<M>>,
    timeoutMs: number = CALL_TIMEOUT_MS,
  ): Promise<MessageRead<ResponseName<M>>> {
    const frame = frameOf(`${method}Request` as RequestName<M>, request);
    try {
      const answer = await this.#channel.unary(
        `/runtime.v1.${service}/${method}`,
        frame,
        Number.isFinite(timeoutMs) ? timeoutMs : undefined,
      );
      return decode(`${method}Response` as ResponseName<M>, answer);
    } catch (error) {
      throw this.#explained(error as Error);
    }
  }

  /** Messages of GetContainerEvents until the returned function is called; `onEnd` is told once when no more will come. */
  events(onMessage: (event: MessageRead<"ContainerEventResponse">) => void, onEnd: (error: Error) => void): () => void {
    let stopped = false;
    let stream: GrpcStream | undefined;
    const end = (error: Error): void => {
      if (!stopped) onEnd(this.#explained(error));
    };
    const began = this.#channel.stream("/runtime.v1.RuntimeService/GetContainerEvents", {
      onMessage: (message) => onMessage(decode("ContainerEventResponse", message)),
      onEnd: end,
    });
    began.then((opened) => {
      stream = opened;
      if (stopped) opened.cancel();
      opened.send(frameOf("GetEventsRequest", {}));
      opened.finish();
    }, end);
    return () => {
      stopped = true;
      stream?.cancel();
    };
  }

  close(): void {
    this.#channel.close();
  }

  #explained(error: Error): Error {
    if (!(error instanceof GrpcError)) return error;
    if (error.code === NOT_FOUND) return new NotFoundError(error.message, { cause: error });
    if (error.code === UNIMPLEMENTED) return new UnimplementedError(error.message, { cause: error });
    if (error.code === DEADLINE_EXCEEDED) return new GrpcError(error.code, "context deadline exceeded", error.unsent);
    const failure = /\b(ECONNREFUSED|ENOENT|EACCES)\b/.exec(error.message)?.[1];
    if (error.unsent && failure !== undefined) {
      const why = `dial unix ${this.#socketPath}: connect: ${CONNECT_FAILURES[failure]}`;
      return new GrpcError(UNAVAILABLE, `connection error: desc = "transport: Error while dialing: ${why}"`, true);
    }
    const isLost = error.code === UNAVAILABLE && LOST.test(error.message);
    return isLost ? new GrpcError(UNAVAILABLE, "error reading from server: EOF", error.unsent) : error;
  }
}

function frameOf<N extends MessageName>(name: N, message: MessageWritten<N>): Buffer {
  const writer = encode(name, message);
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(writer.length, 1);
  writer.raw(head);
  return writer.finish();
}
