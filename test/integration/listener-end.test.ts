import { once } from "node:events";
import { type ClientHttp2Session, connect, type ServerHttp2Session } from "node:http2";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Exchange } from "#apiserver/server/exchange.ts";
import { listenSecurely, type SecureListener } from "#apiserver/server/secure-listener.ts";
import { realClock } from "#base/clock.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";

let listener: SecureListener;
let session: ClientHttp2Session;
let onExchange: (exchange: Exchange) => void;
beforeAll(async () => {
  const now = Date.now();
  const ca = createAuthority("test", now);
  const pair = issueCertificate(ca, { commonName: "server", usages: ["server"], hosts: ["127.0.0.1"] }, now);
  listener = await listenSecurely({
    ...pair,
    clock: realClock,
    bindAddress: "127.0.0.1",
    port: 0,
    clientCa: [ca.cert],
    identify: () => ({}),
    onExchange: (exchange) => onExchange(exchange),
  });
  session = connect(`https://127.0.0.1:${listener.port}`, { ca: ca.cert });
  session.on("error", () => undefined);
});
afterAll(() => void session.destroy());

test("a listener that is ended from within the reading of a request ends its connections after that, and none stays", async () => {
  let ended: Promise<void> | undefined;
  const seen: { readonly connection: ServerHttp2Session; readonly atOnce: boolean }[] = [];
  onExchange = async (exchange) => {
    await exchange.readBody(1_000);
    if (exchange.method === "GET") return;
    // Runs while nghttp2 is at the body's last frame.
    ended = listener.destroy();
    const connection = exchange.connection as ServerHttp2Session;
    seen.push({ connection, atOnce: connection.destroyed });
  };
  const stop = session.request({ ":method": "POST", ":path": "/stop" });
  const waiting = session.request({ ":path": "/waiting" });
  for (const stream of [stop, waiting]) stream.on("error", () => undefined).resume();
  stop.write("now");
  await new Promise((resolve) => session.ping(resolve));
  const closed = once(session, "close");
  stop.end();
  await closed;
  await ended;
  expect(seen.map(({ connection, atOnce }) => [atOnce, connection.destroyed])).toEqual([[false, true]]);
  expect([stop.closed, waiting.closed]).toEqual([true, true]);
});
