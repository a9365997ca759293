import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Clock, realClock } from "#base/clock.ts";
import type { ResourceId } from "./client.ts";
import { createRestClient, type RestClient } from "./rest-client.ts";

const PODS: ResourceId = { group: "", version: "v1", resource: "pods" };
const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };

let server: http2.Http2Server;
let client: RestClient;
let common: { server: string; userAgent: string; clock: Clock };
const requests: string[] = [];
const sessions = new Set<http2.ServerHttp2Session>();

/** How often a request is still refused before it is looked at, and whether by ending the connection. */
let refusals = 0;
let leaves = false;

function refuse(stream: http2.ServerHttp2Stream): void {
  refusals--;
  // What came behind the stream before is not looked at.
  if (leaves) stream.session?.goaway(http2.constants.NGHTTP2_NO_ERROR, (stream.id ?? 0) - 2);
  else stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
}

/** Answers with what it was asked, but for a few paths. */
function answer(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, body: string): void {
  const path = headers[":path"] ?? "";
  const type = headers["content-type"] === undefined ? "" : ` ${headers["content-type"]}`;
  requests.push(`${headers[":method"]} ${path}${type} ${body}`.trim());
  if (path.includes("missing")) {
    stream.respond({ ":status": 404, "content-type": "application/json" });
    stream.end(
      JSON.stringify({ kind: "Status", apiVersion: "v1", metadata: {}, message: "gone", reason: "NotFound", code: 404 }),
    );
    return;
  }
  if (path.includes("watch=true")) {
    stream.respond({ ":status": 200, "content-type": "application/json" });
    const event = (name: string): string => `${JSON.stringify({ type: "ADDED", object: { metadata: { name } } })}\n`;
    const text = event("a") + event("b") + event("c");
    stream.write(text.slice(0, 20));
    realClock.setTimeout(() => stream.write(text.slice(20, -10)), 5);
    if (path.includes("resourceVersion=7")) realClock.setTimeout(() => stream.end(text.slice(-10)), 10);
    return;
  }
  if (path.includes("slow")) return;
  stream.respond({ ":status": 200, "content-type": path === "/healthz" ? "text/plain" : "application/json" });
  stream.end(path === "/healthz" ? "ok" : JSON.stringify({ items: null, metadata: { resourceVersion: "1" } }));
}

beforeAll(async () => {
  server = http2.createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    let body = "";
    stream.on("error", () => {});
    stream.on("data", (chunk) => {
      body += chunk;
    });
    stream.on("end", () => (refusals > 0 ? refuse(stream) : answer(stream, headers, body)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  common = { server: `http://127.0.0.1:${port}`, userAgent: "test", clock: realClock };
  client = createRestClient({ ...common, timeoutMs: 300 });
});

afterAll(() => {
  client.close();
  server.close();
});

test.each([
  { name: "get", call: () => client.get(PODS, "ns", "a"), want: "GET /api/v1/namespaces/ns/pods/a" },
  {
    name: "list",
    call: () => client.list(LEASES, "", { labelSelector: "a in (b)", limit: 5 }),
    want: "GET /apis/coordination.k8s.io/v1/leases?labelSelector=a%20in%20(b)&limit=5",
  },
  {
    name: "create of a subresource",
    call: () => client.create(PODS, "ns", { a: 1 }, { name: "p", subresource: "binding", dryRun: true }),
    want: 'POST /api/v1/namespaces/ns/pods/p/binding?dryRun=All application/json {"a":1}',
  },
  {
    name: "update",
    call: () => client.update(PODS, "ns", "p", { a: 1 }, { subresource: "status", fieldManager: "me" }),
    want: 'PUT /api/v1/namespaces/ns/pods/p/status?fieldManager=me application/json {"a":1}',
  },
  {
    name: "patch",
    call: () => client.patch(PODS, "ns", "p", "application/merge-patch+json", { a: null }),
    want: 'PATCH /api/v1/namespaces/ns/pods/p application/merge-patch+json {"a":null}',
  },
  {
    name: "delete",
    call: () => client.delete(PODS, "ns", "p", { gracePeriodSeconds: 0 }),
    want: 'DELETE /api/v1/namespaces/ns/pods/p application/json {"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}',
  },
])("$name asks as upstream's clients do", async ({ call, want }) => {
  requests.length = 0;
  await call();
  expect(requests).toEqual([want]);
});

test("a list without items has none, and text is text", async () => {
  expect((await client.list(PODS, "ns")).items).toEqual([]);
  expect(await client.raw("/healthz")).toBe("ok");
});

test("a failure is the server's Status", async () => {
  await expect(client.get(PODS, "ns", "missing")).rejects.toMatchObject({ code: 404, reason: "NotFound", message: "gone" });
});

test("a request without answer fails after a while", async () => {
  await expect(client.get(PODS, "ns", "slow")).rejects.toThrow("no answer in 300 ms");
});

test.each([
  ["by itself", false, 5],
  ["with the connection, which ends", true, 1],
])("a request that was surely not looked at is sent again: refused %s", async (_, byLeaving, times) => {
  await client.raw("/healthz");
  [refusals, leaves] = [times, byLeaving];
  await client.create(PODS, "ns", { apiVersion: "v1", kind: "Pod", metadata: { name: "refused" } });
  expect(refusals).toBe(0);
  expect(requests.filter((request) => request.includes('"refused"'))).toHaveLength(1);
  requests.length = 0;
});

test("a server that refuses all is not asked for ever", async () => {
  [refusals, leaves] = [100, false];
  await expect(client.get(PODS, "ns", "p")).rejects.toThrow("NGHTTP2_REFUSED_STREAM");
  expect(refusals).toBe(94);
  refusals = 0;
});

test("a watch gives what came, however it was cut, and ends with the server's end", async () => {
  const names: (string | undefined)[] = [];
  const watch = client.watch(PODS, "ns", { resourceVersion: "7", signal: new AbortController().signal });
  for await (const batch of watch) for (const { object } of batch) names.push(object.metadata.name);
  expect(names).toEqual(["a", "b", "c"]);
});

test("a watch ends without error when it is aborted", async () => {
  const stop = new AbortController();
  let count = 0;
  for await (const batch of client.watch(PODS, "ns", { signal: stop.signal })) {
    count += batch.length;
    stop.abort();
  }
  expect(count).toBeGreaterThan(0);
});

test("requests wait for the first certificate, or fail when none comes", async () => {
  const waiting = createRestClient({ ...common, timeoutMs: 50, awaitsCertificate: true });
  const stop = new AbortController();
  requests.length = 0;
  try {
    await expect(waiting.raw("/early")).rejects.toThrow("no certificate to ask with came in 50 ms");
    const watch = waiting.watch(PODS, "ns", { signal: stop.signal })[Symbol.asyncIterator]().next();
    stop.abort();
    expect(await watch).toEqual({ done: true, value: undefined });
    const asked = waiting.raw("/healthz");
    expect(requests).toEqual([]);
    waiting.useCertificate({ cert: "a certificate", key: "its key" });
    expect(await asked).toBe("ok");
    expect(requests).toEqual(["GET /healthz"]);
  } finally {
    waiting.close();
  }
});

test("who waits for a first certificate is told when the client is closed", async () => {
  const waiting = createRestClient({ ...common, awaitsCertificate: true });
  const asked = waiting.raw("/healthz");
  waiting.close();
  await expect(asked).rejects.toThrow("client is closed");
});

test("a broken connection is replaced by the next request", async () => {
  for (const session of sessions) session.destroy();
  // The client learns of it a moment later.
  await vi.waitFor(async () => expect(await client.raw("/healthz")).toBe("ok"));
});
