import { createServer, type Http2Server } from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { realClock } from "#base/clock.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { checkGrpcHealth } from "./grpc-health.ts";

/** What the server says to each name of a service: a status, or that it knows no health. */
const STATUSES: Readonly<Record<string, number>> = { "": 1, ill: 2 };
let server: Http2Server;
let port: number;
beforeAll(async () => {
  server = createServer();
  server.on("stream", (stream) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const name = Buffer.concat(chunks).subarray(7).toString();
      if (name === "silent") return;
      const status = STATUSES[name];
      const code = name === "none" ? "5" : "12";
      const trailers = status === undefined ? { "grpc-status": code, "grpc-message": "unknown service" } : { "grpc-status": "0" };
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers(trailers));
      stream.end(status === undefined ? undefined : Buffer.of(0, 0, 0, 0, 2, 8, status));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());

const long = "x".repeat(200);
test.each([
  ["", true, "service healthy"],
  ["ill", false, 'service unhealthy (responded with "NOT_SERVING")'],
  ["none", false, "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"],
  ["silent", false, "timeout: health rpc did not complete within 0.2s"],
  [long, false, "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service"],
])("a service %j is well: %s", async (service, succeeded, message) => {
  expect(await checkGrpcHealth({ port, service }, "127.0.0.1", service === "silent" ? 0.2 : 1, realClock)).toEqual({
    succeeded,
    message,
  });
});

test("nobody there is a failure", async () => {
  const message = 'timeout: failed to connect service "127.0.0.1:1" within 1s: context deadline exceeded';
  expect(await checkGrpcHealth({ port: 1 }, "127.0.0.1", 1, realClock)).toEqual({ succeeded: false, message });
});

test("a server that takes the connection and says nothing has the probe's time, and no more", async () => {
  const sockets = new Set<Socket>();
  const silent = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.resume();
  });
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port: there } = silent.address() as AddressInfo;
  const clock = new ManualClock();
  for (const seconds of [1, 10]) {
    let result: unknown;
    const asked = checkGrpcHealth({ port: there }, "127.0.0.1", seconds, clock).then((found) => {
      result = found;
    });
    await vi.waitFor(() => expect(sockets.size).toBe(1));
    clock.advance(seconds * 1000 - 1);
    await nextTurn();
    expect(result).toBeUndefined();
    clock.advance(1);
    await asked;
    const message = `timeout: failed to connect service "127.0.0.1:${there}" within ${seconds}s: context deadline exceeded`;
    expect(result).toEqual({ succeeded: false, message });
    await vi.waitFor(() => expect(sockets.size).toBe(0));
  }
  expect(clock.pending).toBe(0);
  silent.close();
});
