import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { endSessions } from "#base/end-session.ts";
import { type Fields, FRAME_HEAD_BYTES, frameOf } from "#base/grpc/message-writer.ts";
import { WireReader } from "#base/wire-reader.ts";

/** A key management service as its API (k8s.io/kms, v2) is: keeps nothing, and "encrypts" by turning bits over. */
export class KmsPlugin implements AsyncDisposable {
  readonly #server: Http2Server = createServer();
  readonly #sessions = new Set<ServerHttp2Session>();
  keyId = "key-1";
  healthz = "ok";
  /** How often a key was decrypted. */
  decryptions = 0;

  constructor() {
    this.#server.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
    });
    this.#server.on("stream", (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => this.#answer(stream, String(headers[":path"]), Buffer.concat(chunks).subarray(FRAME_HEAD_BYTES)));
    });
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve) => this.#server.listen(path, resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endSessions(this.#sessions);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(stream: ServerHttp2Stream, path: string, request: Buffer): void {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(frameOf(this.#message(path, request)));
  }

  #message(path: string, request: Buffer): (fields: Fields) => void {
    if (path.endsWith("/Status")) {
      return (fields) => {
        fields.text(3, this.keyId);
        fields.text(2, this.healthz);
        fields.text(1, "v2");
      };
    }
    const reader = new WireReader(request);
    let bytes = Buffer.alloc(0);
    reader.fields((number, wire) => {
      if (number === 1) bytes = Buffer.from(reader.bytes());
      else reader.skip(wire);
    });
    const turned = bytes.map((byte) => byte ^ 0xff);
    if (path.endsWith("/Decrypt")) {
      this.decryptions++;
      return (fields) => fields.bytes(1, turned);
    }
    return (fields) => {
      fields.text(2, this.keyId);
      fields.bytes(1, turned);
    };
  }
}
