import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_SERVING } from "#apiserver/server/serving-options.ts";
import { type Caller, type GuardedAnswer, GuardedServer } from "../support/guarded-server.ts";
import { eventually } from "../support/kubectl.ts";

describe("an API server that is told how to serve", () => {
  let guarded: GuardedServer;
  let jane: Caller;
  beforeAll(async () => {
    guarded = await GuardedServer.start({
      serving: {
        ...DEFAULT_SERVING,
        tlsMinVersion: "TLSv1.3",
        tlsCiphers: "TLS_CHACHA20_POLY1305_SHA256",
        streamsPerConnectionMax: 7,
        minRequestTimeoutSeconds: 1,
        goawayChance: 1,
        strictTransportSecurity: "max-age=31536000; includeSubDomains",
      },
      profiles: { cpu: async (seconds) => `"cpu ${seconds}"`, heap: async () => '"heap"' },
    });
    jane = guarded.user("jane");
  }, 60_000);
  afterAll(() => guarded?.stop());

  const handshake = (options: object): Promise<string> =>
    new Promise((resolve) => {
      const where = { host: "127.0.0.1", port: guarded.server.port, ca: guarded.assets.ca.cert };
      const socket = connect({ ...where, ...options }, () => {
        resolve(`${socket.getProtocol()} ${socket.getCipher().name}`);
        socket.destroy();
      });
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });

  test.each([
    [{}, "TLSv1.3 TLS_CHACHA20_POLY1305_SHA256"],
    [{ maxVersion: "TLSv1.2" }, "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"],
    [{ ciphers: "TLS_AES_128_GCM_SHA256" }, "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"],
  ])("speaks TLS no older and no weaker: %j", async (options, want) => {
    expect(await handshake(options)).toBe(want);
  });

  test.each([
    ["/healthz", 200],
    ["/api/v1/nodes/none", 404],
    ["/none", 404],
  ])("tells browsers to speak TLS only: %s", async (path, status) => {
    const answer = await guarded.ask(guarded.admin, "GET", path);
    expect([answer.status, answer.headers["strict-transport-security"]]).toEqual([status, "max-age=31536000; includeSubDomains"]);
  });

  test("asks clients of HTTP/2 to connect anew, once they have their answer", async () => {
    const session = connectHttp2(guarded.server.url, { ca: guarded.assets.ca.cert, ...guarded.admin.pair });
    const settings = new Promise<number | undefined>((resolve) =>
      session.once("remoteSettings", ({ maxConcurrentStreams }) => resolve(maxConcurrentStreams)),
    );
    const goaway = new Promise<number>((resolve) => session.once("goaway", resolve));
    const status = await new Promise((resolve) => {
      const stream = session.request({ ":path": "/healthz" });
      stream.once("response", (headers) => resolve(headers[":status"]));
      stream.resume();
    });
    expect([status, await goaway, await settings]).toEqual([200, 0, 7]);
    session.destroy();
    expect((await guarded.ask(guarded.admin, "GET", "/healthz")).headers.connection).not.toBe("close");
  });

  test("ends a watch whose client names no time", async () => {
    const started = performance.now();
    expect((await guarded.ask(guarded.admin, "GET", "/api/v1/nodes?watch=true")).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("shows profiles to whoever may see them", async () => {
    expect((await guarded.ask(jane, "GET", "/debug/pprof/heap")).status).toBe(403);
    expect((await guarded.ask(guarded.admin, "GET", "/debug/pprof/")).text).toBe("profile?seconds=30\nheap\n");
    expect((await guarded.ask(guarded.admin, "GET", "/debug/pprof/heap")).body).toBe("heap");
    expect((await guarded.ask(guarded.admin, "GET", "/debug/pprof/profile?seconds=5")).body).toBe("cpu 5");
  });
});

test("a request that takes too long is given up", async () => {
  const guarded = await GuardedServer.start({ serving: { ...DEFAULT_SERVING, requestTimeoutMs: 300 } });
  try {
    const headers = { "content-type": "application/json", "content-length": "100" };
    const answer = new Promise<string>((resolve) => {
      void guarded.connect(guarded.admin, "http/1.1").then((socket) => {
        let text = "";
        socket.on("data", (chunk) => {
          text += chunk;
          if (text.includes("\r\n\r\n")) {
            resolve(text);
            socket.destroy();
          }
        });
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
        socket.write(`POST /api/v1/namespaces?timeout=200ms HTTP/1.1\r\nHost: x\r\n${lines.join("")}\r\n{`);
      });
    });
    expect(await answer).toContain("HTTP/1.1 504 ");
  } finally {
    await guarded.stop();
  }
}, 30_000);

test("a server that is to stop goes on unready, and then sends who comes elsewhere", async () => {
  const shutdownDelayMs = 400;
  const guarded = await GuardedServer.start({ serving: { ...DEFAULT_SERVING, shutdownDelayMs, shutdownSendRetryAfter: true } });
  const ask = (path: string): Promise<GuardedAnswer> => guarded.ask(guarded.admin, "GET", path);
  await guarded.made("/api/v1/namespaces", { metadata: { name: "slow" } });
  // In progress until its body has come.
  const slow = await guarded.connect(guarded.admin, "http/1.1");
  slow.on("error", () => {});
  slow.resume();
  slow.write("POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
  await eventually(async () => (await ask("/metrics")).text.includes('inflight_requests{request_kind="mutating"} 1'));
  const stopped = guarded.stop();
  expect((await ask("/readyz")).status).toBe(500);
  expect((await ask("/livez")).status).toBe(200);
  expect((await ask("/api/v1/namespaces/slow")).status).toBe(200);
  let refused: GuardedAnswer | undefined;
  await eventually(async () => {
    const answer = await guarded.ask(guarded.caller(guarded.assets.admin), "GET", "/api/v1/namespaces/slow");
    if (answer.status === 429) refused = answer;
    return answer.status === 429;
  });
  expect(refused).toMatchObject({
    text: "The apiserver is shutting down, please try again later.\n",
    headers: { "retry-after": "5", connection: "close" },
  });
  expect((await guarded.ask(guarded.caller(guarded.assets.admin), "GET", "/livez")).status).toBe(200);
  slow.destroy();
  await stopped;
}, 30_000);
