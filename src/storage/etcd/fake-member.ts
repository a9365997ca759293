import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { endSessions } from "#base/end-session.ts";
import { FRAME_HEAD_BYTES } from "#base/grpc/message-writer.ts";
import { WireReader } from "#base/wire-reader.ts";
import { WireWriter } from "#base/wire-writer.ts";

/** What a watch's client has asked for. */
export type WatchCall =
  | { readonly type: "create"; readonly id: number; readonly key: string; readonly startRevision: number }
  | { readonly type: "cancel"; readonly id: number }
  | { readonly type: "progress" };

/** One message of the server in a stream of watches. */
export interface WatchReply {
  readonly id: number;
  readonly revision?: number;
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly reason?: string;
  /** Puts, as key and revision. */
  readonly puts?: readonly (readonly [string, number])[];
}

type Answer = Uint8Array | { readonly code: number; readonly message: string } | "hang";

/** A member of etcd as tests script it: what is asked of it, and answers word by word. */
export class FakeMember implements AsyncDisposable {
  readonly #server: Http2Server = createServer();
  readonly #sessions = new Set<ServerHttp2Session>();
  version = "3.6.0";
  /** Paths of the calls that take one message, in order. */
  readonly unary: string[] = [];
  /** What answers them, now or later: a message, or a status. */
  onUnary: (path: string) => Answer | Promise<Answer> = () => new Uint8Array();
  readonly calls: WatchCall[] = [];
  #watch: ServerHttp2Stream | undefined;

  constructor() {
    this.#server.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
    });
    this.#server.on("stream", (stream, headers) => this.#onStream(stream, String(headers[":path"])));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : "";
  }

  reply({ id, revision = 0, created = false, canceled = false, reason = "", puts = [] }: WatchReply): void {
    const writer = new WireWriter();
    for (const [key, at] of [...puts].reverse()) {
      inside(writer, 11, () => {
        inside(writer, 2, () => {
          integer(writer, 3, at);
          text(writer, 1, key);
        });
      });
    }
    if (reason !== "") text(writer, 6, reason);
    integer(writer, 4, Number(canceled));
    integer(writer, 3, Number(created));
    integer(writer, 2, id);
    inside(writer, 1, () => integer(writer, 3, revision));
    this.#watch?.write(framed(writer.finish()));
  }

  /** Breaks all connections. */
  drop(): void {
    void endSessions(this.#sessions);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endSessions(this.#sessions);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #onStream(stream: ServerHttp2Stream, path: string): void {
    stream.on("error", () => undefined);
    if (path === "/etcdserverpb.Watch/Watch") {
      this.#watch = stream;
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      let rest = Buffer.alloc(0);
      stream.on("data", (chunk: Buffer) => {
        rest = Buffer.concat([rest, chunk]);
        while (rest.length >= FRAME_HEAD_BYTES && rest.length >= FRAME_HEAD_BYTES + rest.readUInt32BE(1)) {
          const end = FRAME_HEAD_BYTES + rest.readUInt32BE(1);
          this.calls.push(watchCall(rest.subarray(FRAME_HEAD_BYTES, end)));
          rest = rest.subarray(end);
        }
      });
      return;
    }
    stream.resume();
    stream.on("end", () => void this.#answer(stream, path));
  }

  async #answer(stream: ServerHttp2Stream, path: string): Promise<void> {
    const isStatus = path === "/etcdserverpb.Maintenance/Status";
    if (!isStatus) this.unary.push(path);
    const answer = isStatus ? versionMessage(this.version) : await this.onUnary(path);
    if (answer === "hang") return;
    if (!(answer instanceof Uint8Array)) {
      const status = { "grpc-status": String(answer.code), "grpc-message": encodeURIComponent(answer.message) };
      stream.respond({ ":status": 200, "content-type": "application/grpc", ...status }, { endStream: true });
      return;
    }
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(framed(answer));
  }
}

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function versionMessage(version: string): Uint8Array {
  const writer = new WireWriter();
  text(writer, 2, version);
  return writer.finish();
}

/** A `RangeResponse` of nothing, at a revision. */
export function rangeAt(revision: number): Uint8Array {
  const writer = new WireWriter();
  inside(writer, 1, () => integer(writer, 3, revision));
  return writer.finish();
}

function integer(writer: WireWriter, number: number, value: number): void {
  writer.integer(value);
  writer.tag(number, 0);
}

function text(writer: WireWriter, number: number, value: string): void {
  writer.text(value);
  writer.tag(number, 2);
}

function inside(writer: WireWriter, number: number, write: () => void): void {
  const before = writer.length;
  write();
  writer.lengthSince(before);
  writer.tag(number, 2);
}

function watchCall(bytes: Uint8Array): WatchCall {
  let call: WatchCall = { type: "progress" };
  const reader = new WireReader(bytes);
  reader.fields((kind) => {
    const seen = { id: 0, key: "", startRevision: 0 };
    reader.message((number, wire) => {
      if (kind === 1 && number === 1) seen.key = reader.text();
      else if (kind === 1 && number === 3) seen.startRevision = reader.integer();
      else if (number === (kind === 1 ? 7 : 1)) seen.id = reader.integer();
      else reader.skip(wire);
    });
    if (kind === 1) call = { type: "create", ...seen };
    else if (kind === 2) call = { type: "cancel", id: seen.id };
  });
  return call;
}
