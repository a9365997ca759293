import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import type { RemoteVersion } from "../api-service-index.ts";
import type { FrontProxy, ProxiedRequest } from "../front-proxy.ts";
import { RemoteOpenApi } from "./remote-open-api.ts";

const remote: RemoteVersion = {
  group: "g",
  version: "v1",
  namespace: "default",
  service: "tiny",
  port: 443,
  available: true,
  insecure: true,
  ca: undefined,
};
const V2 = { swagger: "2.0", paths: { "/apis/g/v1/things": { get: { responses: {} } }, "/version": {} }, definitions: {} };
const V3 = { paths: { "apis/g/v1": { serverRelativeURL: "/openapi/v3/apis/g/v1?hash=1" }, "apis/g": {}, version: {} } };

type Answers = Record<string, { readonly status: number; readonly body?: object; readonly etag?: string }>;

/** A front proxy whose one server answers from a table. */
function fake(answers: Answers): { readonly proxy: FrontProxy; readonly asked: ProxiedRequest[] } {
  const asked: ProxiedRequest[] = [];
  const send = async (_: RemoteVersion, request: ProxiedRequest): Promise<IncomingMessage> => {
    asked.push(request);
    const { status, body, etag } = answers[request.url] ?? { status: 404 };
    const unchanged = etag !== undefined && request.headers["if-none-match"] === etag;
    const stream = Readable.from([Buffer.from(unchanged ? "" : JSON.stringify(body ?? {}))]);
    return Object.assign(stream, { statusCode: unchanged ? 304 : status, headers: etag === undefined ? {} : { etag } }) as never;
  };
  return { proxy: { send } as unknown as FrontProxy, asked };
}

/** Lets everything that waits for nothing go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
}

test("a server with both versions: its part of version 2, and the way to its documents of version 3", async () => {
  const { proxy } = fake({ "/openapi/v2": { status: 200, body: V2 }, "/openapi/v3": { status: 200, body: V3 } });
  const documents = new RemoteOpenApi(proxy, new ManualClock());
  documents.follow([{ remote, alone: true }]);
  await settle();
  expect(Object.fromEntries(documents.urls())).toEqual({
    "apis/g/v1": "/openapi/v3/apis/g/v1?hash=1",
    "apis/g": "/openapi/v3/apis/g",
  });
  expect(documents.serverOf("apis/g/v1")).toBe(remote);
  expect(documents.serverOf("version")).toBeUndefined();
  expect(documents.parts().map(({ text }) => Object.keys(JSON.parse(text).paths))).toEqual([["/apis/g/v1/things"]]);
  documents.follow([]);
  expect([documents.parts(), documents.urls().size, documents.serverOf("apis/g/v1")]).toEqual([[], 0, undefined]);
  documents.stop();
});

test("a server without version 3 is told of by what version 2 says", async () => {
  const { proxy } = fake({ "/openapi/v2": { status: 200, body: V2 } });
  const documents = new RemoteOpenApi(proxy, new ManualClock());
  documents.follow([{ remote, alone: true }]);
  await settle();
  const made = documents.converted("apis/g/v1");
  expect(JSON.parse(made?.text ?? "").openapi).toBe("3.0.0");
  expect(documents.urls().get("apis/g/v1")).toBe(`/openapi/v3/apis/g/v1?hash=${made?.hash}`);
  expect(documents.serverOf("apis/g/v1")).toBeUndefined();
  documents.stop();
});

test("is asked again every minute with the tag that is known, and keeps what it had when it fails", async () => {
  const answers: Answers = { "/openapi/v2": { status: 200, body: V2, etag: '"1"' } };
  const { proxy, asked } = fake(answers);
  const clock = new ManualClock();
  const documents = new RemoteOpenApi(proxy, clock);
  documents.follow([{ remote, alone: true }]);
  await settle();
  const [before] = documents.parts();
  clock.advance(60_000);
  await settle();
  expect(asked.filter(({ url }) => url === "/openapi/v2").map(({ headers }) => headers["if-none-match"])).toEqual([
    undefined,
    '"1"',
  ]);
  answers["/openapi/v2"] = { status: 500 };
  clock.advance(60_000);
  await settle();
  expect(documents.parts()[0]).toBe(before);
  documents.stop();
});
