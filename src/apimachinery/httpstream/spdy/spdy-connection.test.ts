import type { Duplex } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { duplexPair } from "#base/duplex-pair.ts";
import { seededRandom } from "#base/random.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import type { Frame } from "./frames.ts";
import { RECEIVE_WINDOW_BYTES, SpdyConnection, STREAMS_MAX } from "./spdy-connection.ts";
import { type SpdyStream, StreamResetError } from "./spdy-stream.ts";

const clock = realClock;

function connected(onStream: (stream: SpdyStream) => void): { client: SpdyConnection; server: SpdyConnection } {
  const [left, right] = duplexPair();
  const server = new SpdyConnection(right, { role: "server", clock, onStream });
  return { client: new SpdyConnection(left, { role: "client", clock }), server };
}

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** All that the other end says, without ending what this end says, as the consumers of Node do. */
function heard(stream: SpdyStream): Promise<string> {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => stream.once("end", () => resolve(Buffer.concat(chunks).toString())));
}

/** The other end, by frames. */
function peerOf(socket: Duplex): { say(...frames: readonly Frame[]): void; heard(type: Frame["type"]): Promise<Frame> } {
  const [reader, writer] = [new FrameReader(), new FrameWriter()];
  const frames: Frame[] = [];
  const waiting: (() => void)[] = [];
  socket.on("data", (chunk: Buffer) => {
    frames.push(...reader.read(chunk));
    for (const wake of waiting.splice(0)) wake();
  });
  return {
    say: (...said) => socket.write(Buffer.concat(said.map((frame) => writer.write(frame)))),
    async heard(type) {
      for (;;) {
        const at = frames.findIndex((frame) => frame.type === type);
        const [found] = at < 0 ? [] : frames.splice(at, 1);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}

test("streams carry headers and bytes both ways, each half ends by itself", async () => {
  const { client } = connected(async (stream) => {
    stream.end(`${stream.headers.get("streamtype")}: ${await heard(stream)}`);
  });
  const [first, second] = [client.createStream({ streamType: "one" }), client.createStream({ streamType: "two" })];
  second.end("b");
  first.end("a");
  expect(await Promise.all([text(first), text(second)])).toEqual(["one: a", "two: b"]);
  expect([first.id, second.id]).toEqual([1, 3]);
  client.close();
  await client.closed;
});

test("what one side does not read holds the other back, and only on that stream", async () => {
  const streams: SpdyStream[] = [];
  const { client, server } = connected((stream) => streams.push(stream));
  const [slow, fast] = [client.createStream({}), client.createStream({})];
  await Promise.all([slow.opened, fast.opened]);
  const big = Buffer.alloc(4 * RECEIVE_WINDOW_BYTES, "x");
  let written = false;
  slow.write(big, () => {
    written = true;
  });
  slow.end();
  fast.end("quick");
  const [slowEnd, fastEnd] = streams as [SpdyStream, SpdyStream];
  expect(await heard(fastEnd)).toBe("quick");
  expect(written).toBe(false);
  expect(slowEnd.readableLength).toBeLessThanOrEqual(RECEIVE_WINDOW_BYTES);
  expect((await buffer(slowEnd)).equals(big)).toBe(true);
  expect(written).toBe(true);
  server.destroy();
});

test("a peer without flow control is written to all the same, and held back by the socket", async () => {
  const [left, right] = duplexPair();
  const streams: SpdyStream[] = [];
  const connection = new SpdyConnection(left, { role: "server", clock, onStream: (stream) => streams.push(stream) });
  const peer = peerOf(right);
  peer.say({ type: "synStream", streamId: 1, headers: new Map(), fin: false, unidirectional: false });
  await peer.heard("synReply");
  const [stream] = streams as [SpdyStream];
  await new Promise<void>((resolve) => stream.write(Buffer.alloc(10 * 64 * 1024), () => resolve()));
  const data = Buffer.alloc(100_000);
  for (let i = 0; i < 20; i++) peer.say({ type: "data", streamId: 1, data, fin: i === 19 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(stream.readableLength).toBeLessThan(2 * RECEIVE_WINDOW_BYTES);
  expect((await buffer(stream)).length).toBe(20 * data.length);
  connection.destroy();
});

test("a stream that is refused or reset fails, the connection goes on", async () => {
  const { client } = connected((stream) => {
    if (stream.headers.get("port") === "bad") throw new Error("no such port");
    stream.end("fine");
  });
  const refused = client.createStream({ port: "bad" });
  await expect(refused.opened).rejects.toThrow(StreamResetError);
  const good = client.createStream({ port: "1" });
  expect(await text(good)).toBe("fine");
  client.close();
});

test("destroying a stream resets it", async () => {
  const { promise, resolve } = withResolvers<unknown>();
  const { client } = connected((stream) => stream.once("error", resolve));
  const stream = client.createStream({});
  await stream.opened;
  stream.destroy();
  expect(await promise).toMatchObject({ status: 5 });
  client.close();
});

test("what was said before a reset can be read, and then there is an end", async () => {
  const { client } = connected((stream) => {
    stream.write("last word", () => stream.destroy());
  });
  const stream = client.createStream({});
  expect(await text(stream)).toBe("last word");
  client.close();
});

test("pings are answered on both sides", async () => {
  const { client, server } = connected(() => {});
  await Promise.all([client.ping(), client.ping(), server.ping()]);
  server.close();
  await client.closed;
  await expect(client.ping()).rejects.toThrow();
});

test("closing loses nothing that was written before", async () => {
  const { promise, resolve } = withResolvers<string>();
  const { client, server } = connected((stream) => {
    stream.end("the last word");
    stream.once("finish", () => server.close());
  });
  const stream = client.createStream({});
  resolve(text(stream).catch((error: Error) => error.message));
  expect(await promise).toBe("the last word");
  await client.closed;
});

test("a connection that is lost ends its streams", async () => {
  const { client, server } = connected(() => {});
  const stream = client.createStream({});
  await stream.opened;
  const failed = new Promise((resolve) => stream.once("error", resolve));
  server.destroy();
  expect(await failed).toMatchObject({ message: "the connection is closed" });
  expect(() => client.createStream({})).toThrow();
});

const syn = (streamId: number): Frame => ({
  type: "synStream",
  streamId,
  headers: new Map(),
  fin: false,
  unidirectional: false,
});
test.each([
  ["an even number", [syn(2)], { type: "rstStream", streamId: 2, status: 1 }],
  ["a number that was used", [syn(3), syn(1)], { type: "rstStream", streamId: 1, status: 1 }],
  [
    "one stream too many",
    Array.from({ length: STREAMS_MAX + 1 }, (_, i) => syn(2 * i + 1)),
    { type: "rstStream", streamId: 2 * STREAMS_MAX + 1, status: 3 },
  ],
])("%s is refused", async (_name, frames, want) => {
  const [left, right] = duplexPair();
  const connection = new SpdyConnection(left, { role: "server", clock, onStream: () => {} });
  const peer = peerOf(right);
  peer.say(...frames);
  expect(await peer.heard("rstStream")).toEqual(want);
  connection.destroy();
});

test("who breaks the protocol is told so, and goes", async () => {
  const [left, right] = duplexPair();
  const connection = new SpdyConnection(left, { role: "server", clock });
  const peer = peerOf(right);
  right.write(Buffer.from("8003000100ffffff", "hex"));
  expect(await peer.heard("goAway")).toMatchObject({ status: 1 });
  await connection.closed;
});

test("who asks much and reads nothing is let go", async () => {
  const [left, right] = duplexPair();
  const connection = new SpdyConnection(left, { role: "server", clock });
  right.pause();
  const pings = Buffer.concat(Array.from({ length: 1000 }, (_, i) => new FrameWriter().write({ type: "ping", id: 2 * i + 1 })));
  for (let i = 0; i < 200 && !left.destroyed; i++) {
    right.write(pings);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await connection.closed;
});

test("many streams that write at once hold one another back, not the memory", async () => {
  const [left, right] = duplexPair();
  const streams: SpdyStream[] = [];
  const connection = new SpdyConnection(left, { role: "server", clock, onStream: (stream) => streams.push(stream) });
  const peer = peerOf(right);
  peer.say(...Array.from({ length: 100 }, (_, i) => syn(2 * i + 1)));
  await eventually(() => streams.length === 100);
  right.pause();
  for (const stream of streams) stream.end(Buffer.alloc(64 * 1024));
  await new Promise((resolve) => setImmediate(resolve));
  expect(left.writableLength).toBeLessThan(300 * 1024);
  right.resume();
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.once("finish", resolve))));
  connection.destroy();
});

test("a connection without a byte is closed after its time", async () => {
  const [left] = duplexPair();
  const connection = new SpdyConnection(left, { role: "server", clock, idleTimeoutMs: 20 });
  await connection.closed;
});

/** Streams of random lengths, written and read in random pieces by both ends at once, with pings between. */
async function interleave(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const below = (n: number): number => random.int(n);
  const bytes = (n: number): Buffer => Buffer.from(Array.from({ length: n }, () => below(256)));
  const { client, server } = connected((stream) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (below(4) === 0) {
        stream.pause();
        setImmediate(() => stream.resume());
      }
    });
    stream.once("end", () => stream.end(Buffer.concat(chunks).reverse()));
  });
  await Promise.all(
    Array.from({ length: 1 + below(8) }, async () => {
      const stream = client.createStream({ streamtype: "data" });
      const sent = bytes(below(20_000));
      const answer = buffer(stream);
      for (let at = 0; at < sent.length; ) {
        const end = at + 1 + below(5000);
        if (!stream.write(sent.subarray(at, end))) await new Promise((resolve) => stream.once("drain", resolve));
        if (below(5) === 0) await client.ping();
        at = end;
      }
      stream.end();
      expect((await answer).equals(Buffer.from(sent).reverse())).toBe(true);
    }),
  );
  server.close();
  await client.closed;
}

test("random interleavings lose, repeat and reorder nothing", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    await interleave(seed).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
  }
});

function withResolvers<T>(): { promise: Promise<T>; resolve(value: T | Promise<T>): void } {
  let resolve: (value: T | Promise<T>) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

test("who shows no windows of its own is not told when to send, and says all the same as much as it likes", async () => {
  const [near, far] = duplexPair();
  const connection = new SpdyConnection(near, { role: "client", clock });
  const peer = peerOf(far);
  const stream = connection.createStream({ streamType: "data" });
  stream.end();
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  const data = Buffer.alloc(RECEIVE_WINDOW_BYTES);
  peer.say({ type: "synReply", streamId: 1, headers: new Map(), fin: false });
  for (let i = 0; i < 3; i++) peer.say({ type: "data", streamId: 1, data, fin: false });
  await eventually(() => bytes === 3 * RECEIVE_WINDOW_BYTES);
  peer.say({ type: "ping", id: 2 });
  // Windows would have been told before.
  const told = await Promise.race([peer.heard("windowUpdate"), peer.heard("ping")]);
  expect(told.type).toBe("ping");
});
