import { request } from "node:https";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const PIECE = "a".repeat(64 << 10);
const JSON_TYPE = "application/json";

describe("bad input", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  const ask = (
    method: string,
    path: string,
    body?: string,
    contentType = JSON_TYPE,
  ): Promise<{ status: number; body: Record<string, unknown> }> =>
    new Promise((resolve, reject) => {
      const { ca, cert, key } = cluster.credentials;
      const headers = body === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(body) };
      const req = request(`${cluster.url}${path}`, { method, ca, cert, key, headers, agent: false }, (res) => {
        let text = "";
        res.on("data", (chunk) => {
          text += chunk;
        });
        res.on("end", () =>
          resolve({
            status: res.statusCode ?? 0,
            body: res.headers["content-type"]?.includes("json") ? JSON.parse(text) : { text },
          }),
        );
      });
      req.on("error", reject);
      req.end(body);
    });

  test.each([
    { name: "malformed JSON", path: MAPS, body: '{"metadata":', status: 400, reason: "BadRequest" },
    { name: "malformed YAML", path: MAPS, body: "metadata: [", type: "application/yaml", status: 400, reason: "BadRequest" },
    { name: "an empty body", path: MAPS, body: "", status: 400, reason: "BadRequest" },
    { name: "a field of a wrong type", path: MAPS, body: '{"metadata":{"name":5}}', status: 400, reason: "BadRequest" },
    { name: "an absent required field", path: MAPS, body: '{"data":{}}', status: 422, reason: "Invalid" },
    {
      name: "another kind",
      path: MAPS,
      body: '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}',
      status: 400,
      reason: "BadRequest",
    },
    {
      name: "an unknown kind",
      path: MAPS,
      body: '{"apiVersion":"v9","kind":"Nothing","metadata":{"name":"x"}}',
      status: 400,
      reason: "BadRequest",
    },
    {
      name: "a media type that nobody speaks",
      path: MAPS,
      body: "{}",
      type: "text/csv",
      status: 415,
      reason: "UnsupportedMediaType",
    },
    {
      name: "an oversized body",
      path: MAPS,
      body: `{"metadata":{"name":"x"},"data":{"k":"${"x".repeat(4 << 20)}"}}`,
      status: 413,
      reason: "RequestEntityTooLarge",
    },
    { name: "JSON that is too deep", path: MAPS, body: `{"data":${"[".repeat(100_000)}`, status: 400, reason: "BadRequest" },
    {
      name: "YAML that is too deep",
      path: MAPS,
      body: `data: ${"[".repeat(100_000)}`,
      type: "application/yaml",
      status: 400,
      reason: "BadRequest",
    },
    {
      name: "YAML that unfolds to billions of values",
      path: MAPS,
      body: `a0: &a0 x\n${Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]\n`).join("")}`,
      type: "application/yaml",
      status: 400,
      reason: "BadRequest",
    },
    {
      name: "YAML that contains itself",
      path: MAPS,
      body: "data: &a\n  b: *a\n",
      type: "application/yaml",
      status: 400,
      reason: "BadRequest",
    },
    {
      name: "bytes that are no protobuf",
      path: MAPS,
      body: `k8s\0${"\n".repeat(1000)}`,
      type: "application/vnd.kubernetes.protobuf",
      status: 400,
      reason: "BadRequest",
    },
    {
      name: "a quantity of a million digits",
      path: "/api/v1/namespaces/default/pods",
      body: `{"metadata":{"name":"x"},"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"${"0".repeat(1 << 20)}x"}}}]}}`,
      status: 400,
      reason: "BadRequest",
    },
    {
      name: "a resource that is not there",
      path: "/api/v1/namespaces/default/nothings",
      body: "{}",
      status: 404,
      reason: "NotFound",
    },
    {
      name: "a namespace that is not there",
      path: "/api/v1/namespaces/nowhere/configmaps",
      body: '{"metadata":{"name":"x"}}',
      status: 404,
      reason: "NotFound",
    },
  ])("POST of $name", async ({ path, body, type, status, reason }) => {
    const answer = await ask("POST", path, body, type);
    expect(answer).toMatchObject({ status, body: { kind: "Status", status: "Failure", reason, code: status } });
  });

  test.each([
    { name: "a bad label selector", path: `${MAPS}?labelSelector=a%20in%20(`, status: 400 },
    { name: "a bad field selector", path: `${MAPS}?fieldSelector=data.x=1`, status: 400 },
    { name: "a bad continue token", path: `${MAPS}?continue=nonsense`, status: 400 },
    { name: "a bad limit", path: `${MAPS}?limit=many`, status: 400 },
    { name: "a bad escape in the path", path: `${MAPS}/%zz`, status: 400 },
    { name: "a bad timeout", path: `${MAPS}?timeout=soon`, status: 400 },
    { name: "a selector of many brackets", path: `${MAPS}?labelSelector=${"(".repeat(10_000)}`, status: 400 },
    { name: "an object that is not there", path: `${MAPS}/absent`, status: 404 },
  ])("GET with $name", async ({ path, status }) => {
    expect(await ask("GET", path)).toMatchObject({ status, body: { kind: "Status", code: status } });
  });

  test.each([
    { name: "merge patch", type: "application/merge-patch+json", body: `{"data":${'{"a":'.repeat(50_000)}`, status: 400 },
    { name: "strategic patch", type: "application/strategic-merge-patch+json", body: '{"data":', status: 400 },
    {
      name: "JSON patch that doubles itself",
      type: "application/json-patch+json",
      body: `[{"op":"add","path":"/spec","value":[1]},${'{"op":"copy","from":"/spec","path":"/spec/-"},'.repeat(60)}{"op":"remove","path":"/spec"}]`,
      status: 422,
    },
  ])("PATCH with a bad $name", async ({ body, type, status }) => {
    const map = `${MAPS}/patched`;
    await ask("POST", MAPS, '{"metadata":{"name":"patched"}}');
    expect(await ask("PATCH", map, body, type)).toMatchObject({ status, body: { kind: "Status", code: status } });
  });

  test("an oversized body without a length is cut off", async () => {
    const { ca, cert, key } = cluster.credentials;
    const status = await new Promise<number>((resolve, reject) => {
      const headers = { "content-type": JSON_TYPE, "transfer-encoding": "chunked" };
      const req = request(`${cluster.url}${MAPS}`, { method: "POST", ca, cert, key, headers, agent: false }, (res) => {
        res.resume();
        resolve(res.statusCode ?? 0);
      });
      req.on("error", reject);
      for (let i = 0; i < 8; i++) req.write(Buffer.alloc(1 << 20, "x"));
      req.end();
    });
    expect(status).toBe(413);
  });

  test.each([
    { name: "a long selector is read", length: 200_000, want: 200 },
    { name: "a head beyond all measure is refused", length: 2 << 20, want: 431 },
  ])("$name", async ({ length, want }) => {
    const values = `x${",a".repeat(length / 2)}`;
    const answer = await ask("GET", `${MAPS}?labelSelector=k%20in%20(${values})`);
    expect(answer.status).toBe(want);
  });

  test("who is refused in the middle of what he sends hears of it, each of twenty", async () => {
    const { ca, cert, key } = cluster.credentials;
    const refused = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const { port } = new URL(cluster.url);
        const socket = connect({ host: "127.0.0.1", port: Number(port), ca, cert, key, ALPNProtocols: ["http/1.1"] });
        let answer = "";
        socket.on("secureConnect", () => {
          // Its answer comes while the client is still busy sending.
          for (let i = 0; i < 64; i++) socket.write(i === 0 ? `GET ${MAPS}?labelSelector=` : PIECE);
        });
        socket.on("data", (chunk) => {
          answer += chunk;
        });
        socket.on("error", reject);
        socket.on("end", () => resolve(answer));
      });
    const answers = await Promise.all(Array.from({ length: 20 }, refused));
    expect(answers.map((answer) => answer.split("\r\n")[0])).toEqual(
      answers.map(() => "HTTP/1.1 431 Request Header Fields Too Large"),
    );
  });

  test("a request without credentials is refused", async () => {
    const answer = await new Promise<number>((resolve, reject) => {
      request(`${cluster.url}${MAPS}`, { ca: cluster.credentials.ca, agent: false }, (res) => {
        res.resume();
        resolve(res.statusCode ?? 0);
      })
        .on("error", reject)
        .end();
    });
    expect(answer).toBe(401);
  });

  test("a truncated request stores nothing, and the server goes on", async () => {
    const { ca, cert, key } = cluster.credentials;
    const { port } = new URL(cluster.url);
    await new Promise<void>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port: Number(port), ca, cert, key, ALPNProtocols: ["http/1.1"] }, () => {
        socket.write(
          `POST ${MAPS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"metadata":{"name":"cut"`,
        );
        setTimeout(() => socket.destroy(), 50);
      });
      socket.on("close", () => resolve());
      socket.on("error", () => {});
    });
    expect((await ask("GET", `${MAPS}/cut`)).status).toBe(404);
    expect((await ask("GET", "/readyz")).status).toBe(200);
  });
});
