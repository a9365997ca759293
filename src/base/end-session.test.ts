import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { endSession, endSessions } from "./end-session.ts";

const server = createServer();
const sessions = new Set<ServerHttp2Session>();
let url: string;
beforeAll(async () => {
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => undefined).once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined).respond({ ":status": 200 });
    if (headers[":path"] === "/answer") stream.end("x".repeat(40_000));
    else stream.write("an event");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

/** Reads an answer to its end. The rest of the async function that awaits it runs within the reading of its last frame. */
async function read(stream: ClientHttp2Stream): Promise<number> {
  let length = 0;
  for await (const chunk of stream) length += (chunk as Buffer).length;
  return length;
}

describe("a session with an answer that has just come, and watches beside", () => {
  let session: ClientHttp2Session;
  let watches: ClientHttp2Stream[];
  let ends: Promise<unknown>[];
  beforeEach(async () => {
    session = connect(url);
    session.on("error", () => undefined);
    const answer = session.request({ ":path": "/answer" });
    watches = [1, 2, 3].map(() => session.request({ ":path": "/watch" }).resume());
    ends = watches.map((watch) => new Promise((resolve) => watch.once("error", resolve).once("close", resolve)));
    expect(await read(answer)).toBe(40_000);
  });

  test("ends after the reading of that answer, with all that is under way", async () => {
    const closed = once(session, "close");
    const told = endSession(session);
    expect([session.destroyed, watches.map((watch) => watch.destroyed)]).toEqual([false, [false, false, false]]);
    await told;
    expect(session.destroyed).toBe(true);
    await Promise.all(ends);
    await closed;
  });

  test("tells its streams why it ends", async () => {
    const error = new Error("the other side is silent");
    await endSession(session, error);
    expect(await Promise.all(ends)).toEqual([error, error, error]);
  });

  test("may be ended again, and after it was lost", async () => {
    await Promise.all([endSession(session), endSession(session)]);
    await endSession(session);
    expect(session.destroyed).toBe(true);
  });
});

test("a server ends its sessions, and each client hears of it", async () => {
  const clients = [connect(url), connect(url)];
  const closed = clients.map((client) =>
    once(
      client.on("error", () => undefined),
      "close",
    ),
  );
  await Promise.all(clients.map((client) => once(client.request({ ":path": "/watch" }).resume(), "response")));
  await endSessions(sessions);
  expect([...sessions].every((session) => session.destroyed)).toBe(true);
  await Promise.all(closed);
});
