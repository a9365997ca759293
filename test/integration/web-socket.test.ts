import { request } from "node:https";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { eventually } from "../support/kubectl.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ nodes: 0 });
});
afterAll(() => cluster?.stop());

const PATH = "/api/v1/namespaces/default/configmaps?watch=true&fieldSelector=metadata.name%3Dwatched";

interface Opened {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly socket: Duplex | undefined;
}

function open(path: string, more: Readonly<Record<string, string>>): Promise<Opened> {
  const { ca, cert, key } = cluster.credentials;
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...more,
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${cluster.url}${path}`, { ca, cert, key, headers, agent: false });
    sent.on("upgrade", ({ statusCode = 0, headers }, socket) => resolve({ status: statusCode, headers, socket }));
    sent.on("response", (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, socket: undefined });
    });
    sent.on("error", reject);
    sent.end();
  });
}

test("a watch over a WebSocket sends one event in each frame, and ends when asked", async () => {
  const { status, headers, socket } = await open(PATH, { origin: "https://example.com" });
  expect(status).toBe(101);
  expect(headers["sec-websocket-accept"]).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  let received = Buffer.alloc(0);
  let closed = false;
  socket?.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  socket?.on("close", () => {
    closed = true;
  });
  const configMaps = { group: "", version: "v1", resource: "configmaps" };
  await cluster.client.create(configMaps, "default", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "watched" } });
  await eventually(() => received.includes(10));
  // A text frame of more than 125 bytes: two bytes of header and two of length.
  expect([...received.subarray(0, 2)]).toEqual([0x81, 126]);
  const length = received.readUInt16BE(2);
  const event = JSON.parse(received.subarray(4, 4 + length).toString());
  expect(event).toMatchObject({ type: "ADDED", object: { metadata: { name: "watched" } } });
  // A masked close frame, with a mask of zeros.
  socket?.write(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
  await eventually(() => closed);
  expect([...received.subarray(-4)]).toEqual([0x88, 2, 0x03, 0xe8]);
});

test.each([
  ["a watch of unknown origin", PATH, {}, 403],
  ["what is no watch is answered as ever", "/api/v1/namespaces/default/configmaps", { origin: "https://example.com" }, 200],
  ["another protocol is not spoken", PATH.replace("watch=true", "limit=1"), { upgrade: "SPDY/3.1" }, 200],
])("%s", async (_name, path, headers, status) => {
  expect((await open(path, headers)).status).toBe(status);
});
