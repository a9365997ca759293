import { connect, type TLSSocket } from "node:tls";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listenSecurely } from "#apiserver/server/secure-listener.ts";
import { realClock } from "#base/clock.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { type Caller, GuardedServer, heard } from "../support/guarded-server.ts";
import { FrameFlag, FrameType, field, frame, getHead, goawayCode, PREFACE } from "../support/http2-frames.ts";
import { eventually } from "../support/kubectl.ts";

// Floods of published vulnerabilities (the HTTP/2 ones are CVE-2019-9511 and following, CVE-2023-44487 and CVE-2023-45288):
// one client sends what costs it little and the server much. The others have to be answered as if it were not there.

let guarded: GuardedServer;
let jane: Caller;
let other: Caller;

beforeAll(async () => {
  guarded = await GuardedServer.start();
  jane = guarded.user("jane");
  other = guarded.user("other");
}, 60_000);
afterAll(() => guarded?.stop());

const { endStream, endHeaders } = FrameFlag;
const head = (stream: number, more: readonly Buffer[] = []): Buffer =>
  frame(FrameType.headers, endStream | endHeaders, stream, getHead("/api/v1/nodes", more));
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
/** Frames of requests, one after another. */
function* requests(of: (stream: number) => readonly Buffer[]): Generator<Buffer> {
  for (let stream = 1; ; stream += 2) yield* of(stream);
}
function* forever(bytes: Buffer, before: readonly Buffer[] = []): Generator<Buffer> {
  yield* before;
  for (;;) yield bytes;
}
const emptySettings = frame(FrameType.settings, 0, 0);

/** How long a flood goes on that nothing ends, and one that has to be ended. */
const HARMLESS_MS = 1500;
const HARMFUL_MS = 30_000;
const FRAMES_AT_ONCE = 200;

interface Flooded {
  /** Frames that went out until the connection ended, or time was up. */
  readonly frames: number;
  readonly ended: boolean;
  readonly goaway: number | undefined;
  /** How long another client waited for its slowest answer meanwhile, in milliseconds. */
  readonly slowest: number;
  readonly answered: number;
}

/** Sends frames without end, and looks at what another client sees of that. */
async function flood(frames: Iterator<Buffer>, longestMs: number): Promise<Flooded> {
  const socket = await guarded.connect(jane, "h2");
  const heard: Buffer[] = [];
  let ended = false;
  let resume: () => void = () => {};
  socket.on("data", (chunk: Buffer) => {
    if (heard.length < 1000) heard.push(chunk);
    // Who was told to go away and stays is not listened to any more.
    if (goawayCode(chunk) !== undefined) ended = true;
    if (ended) resume();
  });
  socket.on("error", () => {});
  socket.on("drain", () => resume());
  socket.on("close", () => {
    ended = true;
    resume();
  });
  socket.write(PREFACE);
  socket.write(emptySettings);
  const until = performance.now() + longestMs;
  let sent = 0;
  const send = async (): Promise<void> => {
    while (!ended && performance.now() < until) {
      const batch: Buffer[] = [];
      for (let i = 0; i < FRAMES_AT_ONCE; i++) batch.push(frames.next().value as Buffer);
      sent += batch.length;
      const resumed = new Promise<void>((resolve) => {
        resume = resolve;
        setTimeout(resolve, until - performance.now());
      });
      if (socket.write(Buffer.concat(batch))) await new Promise((resolve) => setImmediate(resolve));
      else await resumed;
    }
  };
  const flooding = send();
  let slowest = 0;
  let answered = 0;
  while (!ended && performance.now() < until) {
    const started = performance.now();
    expect((await guarded.ask(other, "GET", "/healthz")).status).toBe(200);
    slowest = Math.max(slowest, performance.now() - started);
    answered++;
  }
  await flooding;
  const goaway = goawayCode(Buffer.concat(heard));
  socket.destroy();
  return { frames: sent, ended, goaway, slowest, answered };
}

/** How long anybody else may wait while there is a flood, in milliseconds: much more than it takes, for busy machines. */
const SLOWEST_MS = 3000;
const PROTOCOL_ERRORS: readonly (number | undefined)[] = [undefined, 0, 2, 11];

describe("a flood over HTTP/2", () => {
  test.each<[string, () => Iterator<Buffer>, endsWithin: number]>([
    ["requests taken back at once", () => requests((s) => [head(s), frame(FrameType.resetStream, 0, s, uint32(8))]), 20_000],
    [
      "requests that break the protocol, which the server takes back",
      () => requests((s) => [head(s), frame(FrameType.windowUpdate, 0, s, uint32(0))]),
      20_000,
    ],
    ["pings", () => forever(frame(FrameType.ping, 0, 0, Buffer.alloc(8))), 20_000],
    ["settings", () => forever(emptySettings), 20_000],
    [
      "fields without names",
      () =>
        requests((s) => [
          head(
            s,
            Array.from({ length: 60 }, () => field("", "")),
          ),
        ]),
      20_000,
    ],
    [
      "a head without an end",
      () =>
        forever(frame(FrameType.continuation, 0, 1, field("a", "b")), [
          frame(FrameType.headers, endStream, 1, getHead("/api/v1/nodes")),
        ]),
      20_000,
    ],
    ["requests beyond the streams of a connection", () => requests((s) => [head(s)]), 20_000],
    ["more settings than there are", () => forever(frame(FrameType.settings, 0, 0, Buffer.alloc(6 * 2000))), 20_000],
    // They cost the server no more than the client: nobody has to notice.
    ["priorities", () => forever(frame(FrameType.priority, 0, 1, Buffer.alloc(5, 3))), Number.POSITIVE_INFINITY],
    [
      "empty pieces of a body",
      () => forever(frame(FrameType.data, 0, 1), [frame(FrameType.headers, endHeaders, 1, getHead("/api/v1/nodes"))]),
      Number.POSITIVE_INFINITY,
    ],
  ])("%s", async (_name, frames, endsWithin) => {
    const {
      frames: sent,
      ended,
      goaway,
      slowest,
      answered,
    } = await flood(frames(), endsWithin === Number.POSITIVE_INFINITY ? HARMLESS_MS : HARMFUL_MS);
    expect(sent).toBeLessThan(endsWithin);
    expect(ended).toBe(endsWithin < Number.POSITIVE_INFINITY);
    expect(PROTOCOL_ERRORS).toContain(goaway);
    expect(answered).toBeGreaterThan(0);
    expect(slowest).toBeLessThan(SLOWEST_MS);
    expect((await guarded.ask(jane, "GET", "/healthz")).status).toBe(200);
  });
});

/** No byte of a body may be sent to who says this first. */
const noWindow = frame(FrameType.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0)]));
const LARGE_BYTES = 900_000;
const LARGE_ANSWERS = 500;

test("large answers that are asked for and not taken are few at a time, and nobody waits for them", async () => {
  const maps = "/api/v1/namespaces/default/configmaps";
  await guarded.made(maps, { metadata: { name: "large" }, data: { a: "x".repeat(LARGE_BYTES) } });
  await guarded.bind("jane", "view", "default");
  const held = (): number => process.memoryUsage().external;
  const before = held();
  const socket = await guarded.connect(jane, "h2");
  socket.on("error", () => {});
  socket.on("data", () => {});
  const path = getHead(`${maps}/large`);
  const asked = Array.from({ length: LARGE_ANSWERS }, (_, i) =>
    frame(FrameType.headers, endStream | endHeaders, 2 * i + 1, path),
  );
  socket.write(Buffer.concat([PREFACE, noWindow, ...asked]));
  let slowest = 0;
  const until = performance.now() + HARMLESS_MS;
  while (performance.now() < until) {
    const started = performance.now();
    expect((await guarded.ask(other, "GET", "/healthz")).status).toBe(200);
    slowest = Math.max(slowest, performance.now() - started);
  }
  expect(slowest).toBeLessThan(SLOWEST_MS);
  expect(held() - before).toBeLessThan((LARGE_ANSWERS / 2) * LARGE_BYTES);
  socket.destroy();
  // Those that waited for their turn go with their connection.
  const isServed = async (): Promise<boolean> => (await guarded.ask(jane, "GET", `${maps}/large`)).status === 200;
  await eventually(isServed, 10_000, "an answer after the flood");
});

test("a large answer that is not taken in the time of its request ends", async () => {
  const maps = "/api/v1/namespaces/kube-public/configmaps";
  await guarded.made(maps, { metadata: { name: "large" }, data: { a: "x".repeat(LARGE_BYTES) } });
  const socket = await guarded.connect(guarded.admin, "h2");
  socket.on("error", () => {});
  const path = getHead(`${maps}/large?timeout=1s`);
  const reset = new Promise<void>((resolve) => {
    let heard = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      for (let at = 0; at + 9 <= heard.length; at += 9 + heard.readUIntBE(at, 3)) {
        if (heard[at + 3] === FrameType.resetStream) resolve();
      }
    });
  });
  socket.write(Buffer.concat([PREFACE, noWindow, frame(FrameType.headers, endStream | endHeaders, 1, path)]));
  await reset;
  socket.destroy();
});

describe("a connection over HTTP/1.1", () => {
  test.each([
    ["a space before the colon", "Transfer-Encoding : chunked\r\n"],
    ["two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"],
    ["a length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"],
    ["chunks by another name", "Transfer-Encoding: xchunked\r\n"],
    ["a folded field", "Transfer-Encoding:\r\n chunked\r\n"],
  ])("carries no second request in the first: %s", async (_name, fields) => {
    const socket = await guarded.connect(jane, "http/1.1");
    const said = heard(socket);
    const inner = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    socket.end(`POST /api/v1/nodes HTTP/1.1\r\nHost: x\r\n${fields}\r\n0\r\n\r\n${inner}`);
    const text = await said;
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text.split("HTTP/1.1 ")).toHaveLength(2);
  });

  test("ends when its request takes too long to come, and nobody waits for it", async () => {
    const now = realClock.now();
    const ca = createAuthority("slow-ca", now);
    const pair = issueCertificate(ca, { commonName: "slow", usages: ["server"], hosts: ["127.0.0.1"] }, now);
    const listener = await listenSecurely({
      ...pair,
      clock: realClock,
      bindAddress: "127.0.0.1",
      port: 0,
      clientCa: [],
      identify: () => ({}) as never,
      headTimeoutMs: 200,
      onExchange: (exchange) => exchange.send(200, {}, "hello"),
    });
    const open = (): Promise<TLSSocket> =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: "127.0.0.1", port: listener.port, ca: ca.cert }, () => resolve(socket));
        socket.once("error", reject);
      });
    try {
      const slow = await Promise.all(Array.from({ length: 50 }, open));
      const ends = slow.map((socket) => heard(socket));
      for (const socket of slow) socket.write("GET / HTTP/1.1\r\nX-");
      const other = await open();
      const answer = heard(other, (text) => text.includes("hello"));
      other.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      expect(await answer).toContain("200 OK");
      for (const end of await Promise.all(ends)) expect(end).toMatch(/^(HTTP\/1\.1 40[08] |$)/);
    } finally {
      await listener.destroy();
    }
  });
});

describe("a body that costs more to read than to write", () => {
  const MAPS = "/api/v1/namespaces/default/configmaps";
  const half = (1 << 20) / 2;
  test.each([
    ["lists in lists", "[".repeat(half)],
    ["maps in maps", "{a: ".repeat(half / 4)],
    ["dashes", "- ".repeat(half / 2)],
    ["questions", "? ".repeat(half / 2)],
    ["colons", "a: ".repeat(half / 3)],
    ["anchors", Array.from({ length: half / 12 }, (_, i) => `a${i}: &a${i} x\n`).join("")],
    ["tags", "!a ".repeat(half / 3)],
    ["open quotes", `a: "${"\\n ".repeat(half / 3)}`],
    ["indentation", Array.from({ length: 1000 }, (_, i) => `${" ".repeat(i)}a:\n`).join("")],
    ["comments", "#\n".repeat(half / 2)],
    ["merges", `a: &a {x: 1}\n${Array.from({ length: half / 24 }, (_, i) => `b${i}: {<<: *a}\n`).join("")}`],
    ["empty documents", "---\n".repeat(half / 4)],
  ])("YAML of %s", async (_name, body) => {
    const started = performance.now();
    const answer = await guarded.ask(guarded.admin, "POST", MAPS, body, { "content-type": "application/yaml" });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(performance.now() - started).toBeLessThan(5 * SLOWEST_MS);
  });

  test("a patch of too many operations is not begun", async () => {
    await guarded.made(MAPS, { metadata: { name: "patched" }, data: { a: "1" } });
    const operations = Array.from({ length: 10_001 }, () => ({ op: "replace", path: "/data/a", value: "2" }));
    const { body } = await guarded.ask(guarded.admin, "PATCH", `${MAPS}/patched`, operations);
    expect(body).toMatchObject({ code: 413, reason: "RequestEntityTooLarge" });
  });

  test("what is packed is not unpacked", async () => {
    const bomb = gzipSync(Buffer.alloc(50 << 20, " "));
    const headers = { "content-encoding": "gzip", "content-length": String(bomb.length) };
    const { status } = await guarded.ask(guarded.admin, "POST", MAPS, bomb, { ...headers, "content-type": "application/json" });
    expect([400, 415]).toContain(status);
  });
});

test("who makes up requests fills no memory with counters of them", async () => {
  const lines = async (): Promise<number> => (await guarded.ask(guarded.admin, "GET", "/metrics")).text.split("\n").length;
  const before = await lines();
  for (let i = 0; i < 1500; i++) {
    const method = i % 3 === 0 ? `M${"ABCDEFGHIJ"[i % 10]}` : "GET";
    const path = `/apis/g${i}.example.com/v${i}/namespaces/n${i}/r${i}/x/s${i}`;
    await guarded.ask(jane, method === "GET" ? "GET" : "OPTIONS", path, undefined, { "user-agent": `agent/${i}` });
  }
  // About 26 lines for each that is told apart.
  expect((await lines()) - before).toBeLessThan(26 * 150);
});
