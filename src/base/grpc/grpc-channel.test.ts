import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { realClock } from "../clock.ts";
import { ManualClock } from "../manual-clock.ts";
import { GrpcChannel } from "./grpc-channel.ts";
import { DEADLINE_EXCEEDED, UNAVAILABLE } from "./grpc-error.ts";
import { ACK, FRAME_BYTES, Frame } from "./http2-frames.ts";
import { frameOf } from "./message-writer.ts";

/** Enough for a frame to come over loopback. */
const ON_ITS_WAY_MS = 50;
const MESSAGE = frameOf((fields) => fields.integer(1, 7));

let closing: (() => void)[];
let clock: ManualClock;
beforeEach(() => {
  closing = [];
  clock = new ManualClock();
});
afterEach(() => {
  for (const close of closing.reverse()) close();
});

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

function channelTo(port: number): GrpcChannel {
  const channel = new GrpcChannel({ url: `http://127.0.0.1:${port}`, tls: {}, clock });
  closing.push(() => channel.close());
  return channel;
}

/** A server that answers calls when it is told to, behind a line that can be cut without a word. */
class Far {
  /** Calls by their path, while they wait. */
  readonly waiting = new Map<string, ServerHttp2Stream>();
  pings = 0;
  connections = 0;
  readonly #server: Http2Server = createServer();
  readonly #lines: Socket[] = [];

  async listen(): Promise<number> {
    this.#server.on("session", (session) => session.on("ping", () => this.pings++));
    this.#server.on("stream", (stream, headers) => {
      stream.on("error", () => undefined);
      this.waiting.set(String(headers[":path"]), stream);
    });
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const front = createTcpServer((near) => {
      this.connections++;
      const far = connect(portOf(this.#server), "127.0.0.1");
      for (const socket of [near, far]) socket.on("error", () => undefined);
      near.pipe(far);
      far.pipe(near);
      near.once("close", () => far.destroy());
      this.#lines.push(near, far);
    });
    await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
    closing.push(() => {
      for (const line of this.#lines) line.destroy();
      front.close();
      this.#server.close();
    });
    return portOf(front);
  }

  answer(path: string): void {
    const stream = this.waiting.get(path);
    stream?.respond({ ":status": 200 }, { waitForTrailers: true });
    stream?.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream?.end(MESSAGE);
  }

  /** Nothing comes through any more on the connections that there are. */
  cut(): void {
    for (const line of this.#lines) line.unpipe();
  }
}

describe("a call that is not answered in time", () => {
  test("fails alone where the other side says that it lives", async () => {
    const far = new Far();
    const channel = channelTo(await far.listen());
    const late = channel.unary("/late", MESSAGE, 3_000).catch((error: unknown) => error);
    const younger = channel.unary("/younger", MESSAGE, 7_000);
    await expect.poll(() => far.waiting.size).toBe(2);
    clock.advance(1_500);
    await expect.poll(() => far.pings).toBe(1);
    await realClock.sleep(ON_ITS_WAY_MS);
    clock.advance(1_500);
    expect(await late).toMatchObject({ code: DEADLINE_EXCEEDED });
    far.answer("/younger");
    expect((await younger).byteLength).toBe(MESSAGE.byteLength - 5);
    expect(far.connections).toBe(1);
  });

  test("takes the connection with it where the other side is silent, and the next call has a new one", async () => {
    const far = new Far();
    const channel = channelTo(await far.listen());
    const late = channel.unary("/late", MESSAGE, 3_000).catch((error: unknown) => error);
    const younger = channel.unary("/younger", MESSAGE, 7_000).catch((error: unknown) => error);
    await expect.poll(() => far.waiting.size).toBe(2);
    far.cut();
    clock.advance(1_500);
    await realClock.sleep(ON_ITS_WAY_MS);
    clock.advance(1_500);
    expect(await late).toMatchObject({ code: DEADLINE_EXCEEDED });
    expect(await younger).toMatchObject({ code: UNAVAILABLE, unsent: false, message: expect.stringContaining("is silent") });
    const next = channel.unary("/next", MESSAGE, 3_000);
    await expect.poll(() => far.waiting.has("/next")).toBe(true);
    far.answer("/next");
    await next;
    expect(far.connections).toBe(2);
  });

  test("asks once, until the other side has sent something else: servers in Go close connections for more", async () => {
    const far = new Far();
    const channel = channelTo(await far.listen());
    const lateOne = async (path: string): Promise<void> => {
      const late = channel.unary(path, MESSAGE, 1_000).catch((error: unknown) => error);
      await expect.poll(() => far.waiting.has(path)).toBe(true);
      clock.advance(500);
      await realClock.sleep(ON_ITS_WAY_MS);
      clock.advance(500);
      expect(await late).toMatchObject({ code: DEADLINE_EXCEEDED });
    };
    for (const path of ["/1", "/2", "/3"]) await lateOne(path);
    expect(far.pings).toBe(1);
    const good = channel.unary("/good", MESSAGE);
    await expect.poll(() => far.waiting.has("/good")).toBe(true);
    far.answer("/good");
    await good;
    await lateOne("/4");
    expect([far.pings, far.connections]).toEqual([2, 1]);
  });
});

test("a connection is kept whose answer is there, and was not read because we stood still", async () => {
  let isClosed = false;
  const frame = (type: number, flags: number, payload: Buffer): Buffer => {
    const head = Buffer.alloc(FRAME_BYTES);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    return Buffer.concat([head, payload]);
  };
  let asked = false;
  const server = createTcpServer((socket) => {
    socket.on("close", () => {
      isClosed = true;
    });
    socket.on("error", () => undefined);
    socket.write(frame(Frame.settings, 0, Buffer.alloc(0)));
    socket.on("data", (bytes: Buffer) => {
      const at = bytes.indexOf(Buffer.from([0, 0, 8, Frame.ping, 0]));
      if (at < 0) return;
      asked = true;
      socket.write(frame(Frame.ping, ACK, bytes.subarray(at + FRAME_BYTES, at + FRAME_BYTES + 8)));
      // Time passes before the answer can be read.
      setTimeout(() => clock.advance(5_000), 1);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  await channelTo(portOf(server)).connect();
  clock.advance(10_000);
  await expect.poll(() => asked).toBe(true);
  await realClock.sleep(ON_ITS_WAY_MS);
  expect([isClosed, clock.pending]).toEqual([false, 1]);
});
