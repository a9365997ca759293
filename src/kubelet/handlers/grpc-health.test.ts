import { createServer, type Http2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
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
