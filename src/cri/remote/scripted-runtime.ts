import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { endSessions } from "#base/end-session.ts";
import { FRAME_HEAD_BYTES } from "#base/grpc/message-writer.ts";
import { decode, encode } from "./codec.ts";
import type { Method, RequestName, ResponseName } from "./cri-channel.ts";
import type { MessageName, MessageRead, MessageWritten } from "./schema/messages.ts";

/** What a {@link ScriptedRuntime} was asked. */
export interface Asked {
  readonly path: string;
  readonly request: object;
}

type Answer = (request: Buffer, stream: ServerHttp2Stream, path: string) => void;

/** Fails a call with one of gRPC's codes. */
export class Failure extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The other side of CRI for tests: answers each call as it is told to, and remembers what it was asked. */
export class ScriptedRuntime implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly #server: Http2Server = createServer();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #answers = new Map<string, Answer>();

  constructor() {
    this.#server.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
    });
    this.#server.on("stream", (stream, headers) => {
      const path = String(headers[":path"]);
      const chunks: Buffer[] = [];
      stream.on("error", () => undefined);
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const answer = this.#answers.get(path.split("/").at(-1) ?? "") ?? unknownMethod;
        answer(Buffer.concat(chunks).subarray(FRAME_HEAD_BYTES), stream, path);
      });
    });
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve) => this.#server.listen(path, resolve));
  }

  /** How a call is answered from now on. */
  on<M extends Method>(method: M, answer: (request: MessageRead<RequestName<M>>) => MessageWritten<ResponseName<M>>): void {
    this.#answers.set(method, (bytes, stream, path) => {
      const request = decode(`${method}Request` as RequestName<M>, bytes);
      this.asked.push({ path, request });
      try {
        const message = answer(request);
        stream.respond(HEAD, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(frameOf(`${method}Response` as ResponseName<M>, message));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        fail(stream, error);
      }
    });
  }

  /** Events that are told at once, before the stream ends or stays open. */
  onEvents(events: readonly MessageWritten<"ContainerEventResponse">[], stayOpen: boolean): void {
    this.#answers.set("GetContainerEvents", (_request, stream) => {
      stream.respond(HEAD, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      for (const event of events) stream.write(frameOf("ContainerEventResponse", event));
      if (!stayOpen) stream.end();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endSessions(this.#sessions);
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const HEAD = { ":status": 200, "content-type": "application/grpc" };

function unknownMethod(_request: Buffer, stream: ServerHttp2Stream): void {
  fail(stream, new Failure(12, "unknown method"));
}

function fail(stream: ServerHttp2Stream, { code, message }: Failure): void {
  stream.respond({ ...HEAD, "grpc-status": String(code), "grpc-message": encodeURIComponent(message) }, { endStream: true });
}

function frameOf<N extends MessageName>(name: N, message: MessageWritten<N>): Buffer {
  const bytes = encode(name, message).finish();
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
