import { rmSync } from "node:fs";
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { connect as connectSocket } from "node:net";
import { endSessions } from "#base/end-session.ts";

/** When of a call something happens: before the runtime hears of it, while it is at it, or when it is done and nobody knows. */
export type Moment = "before" | "during" | "after";

interface Trap {
  readonly method: string;
  readonly moment: Moment;
  readonly spring: () => void;
  /** Calls of the method that are let through first. */
  left: number;
}

/** Stands between a kubelet and its runtime, at a socket file of its own, and tells of calls as they come by. */
export class CriProxy implements AsyncDisposable {
  readonly #server: Http2Server = createServer();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #runtimePath: string;
  #runtime: ClientHttp2Session | undefined;
  #trap: Trap | undefined;

  private constructor(runtimePath: string) {
    this.#runtimePath = runtimePath;
    this.#server.on("session", (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.on("error", () => undefined).on("close", () => this.#sessions.delete(session));
    });
    this.#server.on("stream", (stream, headers) => this.#pass(stream, headers));
  }

  static async start(path: string, runtimePath: string): Promise<CriProxy> {
    const proxy = new CriProxy(runtimePath);
    rmSync(path, { force: true });
    await new Promise<void>((resolve) => proxy.#server.listen(path, resolve));
    return proxy;
  }

  /** Resolves at that moment of the next call of a method, once `skip` have come by, after `spring` has been called. */
  at(method: string, moment: Moment, spring: () => void, skip = 0): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#trap = undefined;
        spring();
        resolve();
      };
      this.#trap = { method, moment, spring: done, left: skip };
    });
  }

  #connection(): ClientHttp2Session {
    if (this.#runtime === undefined || this.#runtime.closed || this.#runtime.destroyed) {
      this.#runtime = connect("http://localhost", { createConnection: () => connectSocket(this.#runtimePath) });
      this.#runtime.on("error", () => undefined);
    }
    return this.#runtime;
  }

  #caught(path: string): Trap | undefined {
    const trap = this.#trap;
    if (trap === undefined || !path.endsWith(`/${trap.method}`)) return undefined;
    return trap.left-- > 0 ? undefined : trap;
  }

  #pass(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const path = String(headers[":path"]);
    const trap = this.#caught(path);
    stream.on("error", () => undefined);
    if (trap?.moment === "before") {
      trap.spring();
      return;
    }
    const call = this.#connection().request({
      ":method": "POST",
      ":path": path,
      ...Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(":"))),
    });
    stream.pipe(call);
    // Who called is gone: the runtime is told, as it would be without this in between.
    stream.once("close", () => call.close(constants.NGHTTP2_CANCEL));
    call.on("error", () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    if (trap?.moment === "during") {
      stream.once("end", () => setImmediate(trap.spring));
      return;
    }
    let trailers: IncomingHttpHeaders = {};
    call.on("response", (response, flags) => {
      if (trap !== undefined || stream.destroyed) return;
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      const { ":status": _, ...rest } = response;
      stream.respond({ ":status": 200, ...rest }, { endStream, waitForTrailers: !endStream });
    });
    call.on("trailers", (received) => {
      trailers = received;
    });
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    if (trap === undefined) call.pipe(stream);
    else call.resume().once("end", trap.spring);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endSessions(this.#runtime === undefined ? this.#sessions : [this.#runtime, ...this.#sessions]);
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
