import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { acceptKey, encodeFrame, FrameReader, Opcode } from "#apimachinery/httpstream/websocket/frames.ts";
import type { PeerIdentity } from "../authentication/peer-identity.ts";
import { type ApiResponse, isResponseStream, type ResponseStream } from "../endpoints/response.ts";
import type { ResponseHeaders } from "./exchange.ts";
import { Http1Exchange } from "./http1-exchange.ts";

/** The subprotocol that carries a token, which is never the one that is spoken. */
const TOKEN_PROTOCOL = "base64url.bearer.authorization.k8s.io.";
const NORMAL_CLOSURE = Buffer.from([0x03, 0xe8]);
const NEWLINE = 10;

/**
 * A request over HTTP/1.1 that would rather speak another protocol. A watch in JSON is served over a WebSocket, one
 * event in each frame (upstream's `WatchServer.HandleWS`); everything else is answered as if nothing had been said.
 */
export class UpgradeExchange extends Http1Exchange {
  readonly #message: IncomingMessage;
  readonly #socket: Duplex;
  readonly #plain: ServerResponse;
  readonly #head: Buffer;
  #takenOver = false;

  /** `head` is what came behind the request's head with it. */
  constructor(message: IncomingMessage, socket: Duplex, head: Buffer, peer: PeerIdentity | undefined) {
    const response = new ServerResponse(message);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as never);
    response.once("finish", () => socket.end());
    super(message, response, peer);
    this.#message = message;
    this.#socket = socket;
    this.#plain = response;
    this.#head = head;
  }

  /** What follows the head belongs to the other protocol. */
  override readBody(): Promise<Buffer> {
    return Promise.resolve(Buffer.alloc(0));
  }

  override bodyStream(): undefined {
    return undefined;
  }

  override get finished(): boolean {
    return this.#takenOver || super.finished;
  }

  override takeOver(): Duplex | undefined {
    if (this.finished || this.#socket.destroyed) return undefined;
    this.#takenOver = true;
    this.#plain.detachSocket(this.#socket as never);
    this.#plain.destroy();
    if (this.#head.byteLength > 0) this.#socket.unshift(this.#head);
    return this.#socket;
  }

  /** The connection goes with the answer: nothing else is said on it. */
  override onClose(callback: () => void): void {
    if (this.#takenOver && this.#socket.closed) callback();
    else this.#socket.once("close", callback);
  }

  override send(status: number, headers: ResponseHeaders, body: ApiResponse["body"]): void {
    const json = String(headers["content-type"]).startsWith("application/json");
    if (status !== 200 || !isResponseStream(body) || !json || !this.#wantsWatch() || this.finished) {
      super.send(status, headers, body);
    } else if (!URL.canParse(this.#message.headers.origin ?? "")) super.send(403, {}, "");
    else this.#speak(body);
  }

  #wantsWatch(): boolean {
    const { upgrade = "", "sec-websocket-key": key } = this.#message.headers;
    return upgrade.toLowerCase() === "websocket" && key !== undefined && /[?&]watch=|\/watch\//.test(this.url);
  }

  #speak(body: ResponseStream): void {
    const socket = this.#socket;
    this.#plain.detachSocket(socket as never);
    // The answer has begun: no other can follow.
    this.#plain.destroy();
    const { "sec-websocket-key": key = "", "sec-websocket-protocol": wanted = "" } = this.#message.headers;
    const protocol = wanted
      .split(",")
      .map((one) => one.trim())
      .find((one) => one !== "" && !one.startsWith(TOKEN_PROTOCOL));
    const lines = [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${acceptKey(key)}`,
      ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    const close = (): void => {
      if (socket.writable) socket.end(encodeFrame(Opcode.close, NORMAL_CLOSURE));
    };
    if (this.#head.byteLength > 0) socket.unshift(this.#head);
    listen(socket, close);
    let rest: Buffer = Buffer.alloc(0);
    body.start({
      write(chunk) {
        if (!socket.writable) return true;
        rest = Buffer.concat([rest, Buffer.from(chunk)]);
        const frames: Buffer[] = [];
        for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
          frames.push(encodeFrame(Opcode.text, rest.subarray(0, end + 1)));
          rest = rest.subarray(end + 1);
        }
        return frames.length === 0 || socket.write(Buffer.concat(frames));
      },
      end: close,
      onDrain: (callback) => socket.on("drain", callback),
      onClose: (callback) => socket.once("close", callback),
      abort: () => socket.destroy(),
    });
  }
}

/** What a watcher may say: that it lives, and that it goes. */
function listen(socket: Duplex, close: () => void): void {
  const reader = new FrameReader();
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const { opcode, payload } of reader.read(chunk)) {
        if (opcode === Opcode.ping) socket.write(encodeFrame(Opcode.pong, payload));
        if (opcode === Opcode.close) close();
      }
    } catch {
      socket.destroy();
    }
  });
  socket.once("end", () => socket.end());
}
