import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { Http2Pool } from "./http2-pool.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)));

test("a connection whose other side falls silent is ended, and with it what waits on it", async () => {
  const backend = createHttp2Server();
  const sessions: ServerHttp2Session[] = [];
  backend.on("session", (session) => sessions.push(session));
  backend.on("stream", (stream) => stream.respond({ ":status": 200 }));
  const backendPort = await listen(backend as unknown as Server);
  closing.push(() => {
    for (const session of sessions) session.destroy();
    backend.close();
  });
  // A network in between that loses everything from some moment on, without a word.
  let isCut = false;
  const sockets: Socket[] = [];
  const network = createServer((client) => {
    const server = createConnection(backendPort, "127.0.0.1");
    sockets.push(client, server);
    client.on("data", (chunk) => isCut || server.write(chunk));
    server.on("data", (chunk) => isCut || client.write(chunk));
  });
  const port = await listen(network);
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    network.close();
  });
  const clock = new ManualClock();
  const pool = new Http2Pool({ server: `http://127.0.0.1:${port}` }, clock);
  closing.push(() => pool.close());
  const watch = pool.request({ ":path": "/watch" }, undefined);
  await new Promise((resolve) => watch.once("response", resolve));
  clock.advance(30_000);
  await pong();
  clock.advance(20_000);
  expect(watch.closed).toBe(false);
  isCut = true;
  const failed = new Promise<Error>((resolve) => watch.once("error", resolve));
  clock.advance(10_000);
  await pong();
  clock.advance(15_000);
  expect((await failed).message).toContain("no answer to a ping");
});

test("who goes on from an answer may close the pool: connections end after the reading of that answer, with what else is under way", async () => {
  const backend = createHttp2Server();
  backend.on("stream", (stream, headers) => {
    stream.on("error", () => undefined).respond({ ":status": 200 });
    if (headers[":path"] === "/answer") stream.end("an answer");
  });
  const port = await listen(backend as unknown as Server);
  closing.push(() => backend.close());
  const pool = new Http2Pool({ server: `http://127.0.0.1:${port}` }, realClock);
  const answer = pool.request({ ":path": "/answer" }, undefined);
  const watch = pool.request({ ":path": "/watch" }, undefined).resume();
  const over = new Promise((resolve) => watch.once("close", resolve));
  for await (const chunk of answer) expect(String(chunk)).toBe("an answer");
  pool.close();
  expect([watch.destroyed, watch.session?.destroyed]).toEqual([false, false]);
  expect(() => pool.request({ ":path": "/answer" }, undefined)).toThrow("client is closed");
  await over;
});

/** Time for what was sent to come back. */
const pong = (): Promise<void> => realClock.sleep(50);
