import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect, createServer as createTcpServer, Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { seededRandom } from "../random.ts";
import { nextTurn } from "../turn.ts";
import { headerBlock } from "./hpack.ts";
import { Http2Connection } from "./http2-connection.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

/** A server of Node's own. */
async function serve(onStream: (stream: ServerHttp2Stream) => void, settings: object = {}): Promise<Http2Server> {
  const server = createServer({ settings });
  server.on("stream", onStream);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  return server;
}

function open(port: number): Http2Connection {
  const connection = new Http2Connection(connect(port, "127.0.0.1"), nextTurn);
  closing.push(() => connection.destroy("the test is over"));
  return connection;
}

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;
const block = headerBlock({ ":method": "POST", ":scheme": "http", ":authority": "x", ":path": "/p" });

interface Answer {
  readonly status: string | undefined;
  readonly trailer: string | undefined;
  readonly body: Buffer;
  readonly reason: string | undefined;
  readonly unsent: boolean;
}

function call(connection: Http2Connection, body: Buffer): Promise<Answer> {
  return new Promise((resolve) => {
    const headers = new Map<string, string>();
    const parts: Buffer[] = [];
    const stream = connection.open(block, {
      onHeaders: (more) => {
        for (const [name, value] of more) headers.set(name, value);
      },
      onData: (bytes) => void parts.push(bytes),
      onEnd: (reason, unsent) =>
        resolve({ status: headers.get(":status"), trailer: headers.get("end"), body: Buffer.concat(parts), reason, unsent }),
    });
    connection.write(stream, body, true);
  });
}

/** Answers with what comes, and a trailer behind it. */
function echo(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200, "x-some": "thing" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ end: "well" }));
  stream.pipe(stream);
}

test("bodies larger than every window go both ways, beside small ones", async () => {
  const connection = open(portOf(await serve(echo)));
  await connection.ready;
  const large = Buffer.alloc(20_000_000, "0123456789");
  const bodies = [large, ...Array.from({ length: 50 }, (_, i) => Buffer.from(`small ${i}`))];
  const answers = await Promise.all(bodies.map((body) => call(connection, body)));
  expect(answers.map(({ body }, i) => body.equals(bodies[i] ?? Buffer.alloc(0)))).toEqual(bodies.map(() => true));
  expect(new Set(answers.map(({ status, trailer, reason }) => `${status} ${trailer} ${reason}`))).toEqual(
    new Set(["200 well undefined"]),
  );
});

test("what comes is understood wherever it is cut", async () => {
  const random = seededRandom(7);
  const real = connect(portOf(await serve(echo)), "127.0.0.1");
  const cut = new Socket();
  closing.push(() => real.destroy());
  cut.write = (bytes: Uint8Array | string): boolean => real.write(bytes);
  real.on("data", (bytes: Buffer) => {
    for (let at = 0, end = 0; at < bytes.length; at = end) {
      end = at + 1 + random.int(random.int(4) === 0 ? 3000 : 12);
      cut.emit("data", bytes.subarray(at, end));
    }
  });
  const connection = new Http2Connection(cut, nextTurn);
  closing.push(() => connection.destroy("the test is over"));
  await connection.ready;
  const bodies = Array.from({ length: 60 }, (_, i) => Buffer.alloc(i % 10 === 0 ? 90_000 : 7 * i, `body ${i} `));
  const answers = await Promise.all(bodies.map((body) => call(connection, body)));
  expect(answers.map(({ body }, i) => body.equals(bodies[i] as Buffer))).toEqual(bodies.map(() => true));
  expect(new Set(answers.map(({ status, trailer }) => `${status} ${trailer}`))).toEqual(new Set(["200 well"]));
});

test("no more streams are open than the server takes", async () => {
  let now = 0;
  let most = 0;
  const server = await serve(
    (stream) => {
      most = Math.max(most, ++now);
      stream.once("close", () => now--);
      echo(stream);
    },
    { maxConcurrentStreams: 3 },
  );
  const connection = open(portOf(server));
  await connection.ready;
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => call(connection, Buffer.from(String(i)))));
  expect(answers.map(({ body }) => body.toString())).toEqual(Array.from({ length: 40 }, (_, i) => String(i)));
  expect(most).toBeLessThanOrEqual(3);
});

test("a server that goes away lets what it has seen end, and the connection is used for nothing more", async () => {
  const held: ServerHttp2Stream[] = [];
  const server = await serve((stream) => void held.push(stream));
  const connection = open(portOf(server));
  await connection.ready;
  const answer = call(connection, Buffer.from("seen"));
  await expect.poll(() => held.length, { interval: 1 }).toBe(1);
  const closed = new Promise<void>((resolve) => {
    connection.onClosing = resolve;
  });
  held[0]?.session?.close();
  await closed;
  expect(connection.isClosing).toBe(true);
  for (const stream of held) echo(stream);
  expect(await answer).toMatchObject({ status: "200", reason: undefined });
});

test("a stream that is broken off says why; one that is lost says whether the server can have seen it", async () => {
  const server = await serve((stream) => {
    stream.on("error", () => undefined);
    stream.close(7);
  });
  const connection = open(portOf(server));
  await connection.ready;
  expect(await call(connection, Buffer.from("x"))).toMatchObject({ reason: expect.stringContaining("error 7"), unsent: true });
  const [seen, early] = [call(connection, Buffer.from("x")), open(portOf(server))];
  const unsent = call(early, Buffer.from("x"));
  early.destroy("gone");
  expect(await unsent).toMatchObject({ reason: "gone", unsent: true });
  expect((await seen).unsent).toBe(true);
});

test("a connection that ends without a word gives no reason: its calls are lost", async () => {
  const sockets: Socket[] = [];
  const server = await serve((stream) => {
    stream.on("error", () => undefined);
    for (const socket of sockets) socket.end();
  });
  server.on("connection", (socket: Socket) => sockets.push(socket));
  const connection = open(portOf(server));
  await connection.ready;
  expect(await call(connection, Buffer.from("x"))).toMatchObject({ reason: undefined, unsent: false });
});

test("who speaks something else is told apart", async () => {
  const server = createTcpServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  await expect(open(portOf(server)).ready).rejects.toThrow("does not speak HTTP/2");
});

test("a failure of TLS is told by what it is about", async () => {
  const socket = new Socket();
  closing.push(() => socket.destroy());
  const refused = new Http2Connection(socket, nextTurn);
  const failure = new Error(
    "80BC:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:rec_layer_s3.c:1601:\n",
  );
  socket.emit("error", Object.assign(failure, { library: "SSL routines", reason: "sslv3 alert bad certificate" }));
  await expect(refused.ready).rejects.toThrow(/^TLS: sslv3 alert bad certificate$/);
});
