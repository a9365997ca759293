import { Duplex } from "node:stream";
import { Opcode } from "./frames.ts";
import { WebSocketConnection, type WebSocketOptions } from "./web-socket.ts";

/** The subprotocol that carries the bytes of a SPDY connection for port-forward (KEP-4006). */
export const PORT_FORWARD_TUNNEL_PROTOCOL = "SPDY/3.1+portforward.k8s.io";

/** The bytes of a connection in the binary messages of a WebSocket, as upstream's `TunnelingConnection`. */
export class WebSocketTunnel extends Duplex {
  readonly #connection: WebSocketConnection;

  constructor(socket: Duplex, options: Omit<WebSocketOptions, "onMessage">) {
    super({ allowHalfOpen: true });
    this.#connection = new WebSocketConnection(socket, {
      ...options,
      onMessage: (message) => {
        if (!this.push(message)) this.#connection.pause();
      },
    });
    void this.#connection.closed.then(() => {
      this.push(null);
      if (!this.writableEnded) this.end();
    });
  }

  override _read(): void {
    this.#connection.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#connection.send(chunk, Opcode.binary, done);
  }

  override _final(done: () => void): void {
    this.#connection.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#connection.close();
    done(error);
  }
}
