import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:http2";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { type Answered, asker } from "../support/ask.ts";
import { FakeKubelet, networkOf } from "../support/fake-kubelet.ts";
import { eventually } from "../support/kubectl.ts";

let cluster: Cluster;
let backend: Server;
let kubelet: FakeKubelet;
let ask: ReturnType<typeof asker>;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const seen: IncomingMessage[] = [];
const ports = new Map<string, number>();
const POD_IP = "10.99.0.5";

beforeAll(async () => {
  kubelet = await FakeKubelet.start();
  backend = createServer((message, response) => {
    seen.push(message);
    answer(message, response);
  });
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  ports.set(POD_IP, (backend.address() as AddressInfo).port);
  ports.set("fake-node", kubelet.port);
  cluster = await startCluster({ nodes: 0, network: networkOf(ports) });
  ask = asker(cluster);
  await makeNode("fake-node", [{ type: "Hostname", address: "fake-node" }]);
  await makePod("web", POD_IP);
  await makePod("sly", "169.254.169.254");
  const ports80 = [{ name: "http", port: 80, targetPort: 8080 }];
  await ask("POST", "/api/v1/namespaces/default/services", { metadata: { name: "web" }, spec: { ports: ports80 } });
  const targetRef = { kind: "Pod", namespace: "default", name: "web" };
  await makeSlice("web", { addresses: [POD_IP], targetRef });
  await ask("POST", "/api/v1/namespaces/default/services", { metadata: { name: "bare" }, spec: { ports: ports80 } });
  await makeSlice("bare", { addresses: [POD_IP] });
}, 60_000);
afterAll(async () => {
  await cluster?.stop();
  await kubelet?.stop();
  backend?.closeAllConnections();
  backend?.close();
});
beforeEach(() => {
  seen.length = 0;
  answer = (_message, response) => void response.end("hello");
});

async function makeNode(name: string, addresses: readonly object[]): Promise<void> {
  const status = { addresses, daemonEndpoints: { kubeletEndpoint: { Port: 10250 } } };
  expect((await ask("POST", "/api/v1/nodes", { metadata: { name }, status })).status).toBe(201);
}

async function makePod(name: string, ip: string): Promise<void> {
  const containers = [{ name: "main", image: "x", ports: [{ containerPort: 8080 }] }];
  const pod = { metadata: { name }, spec: { nodeName: "fake-node", serviceAccountName: "default", containers } };
  await eventually(async () => (await ask("POST", "/api/v1/namespaces/default/pods", pod)).status === 201);
  const status = { phase: "Running", podIPs: [{ ip }], podIP: ip };
  expect((await ask("PATCH", `/api/v1/namespaces/default/pods/${name}/status`, { status })).status).toBe(200);
}

async function makeSlice(service: string, endpoint: object): Promise<void> {
  const slice = {
    metadata: { name: service, labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: [endpoint],
  };
  expect((await ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", slice)).status).toBe(201);
}

const POD = "/api/v1/namespaces/default/pods/web/proxy";
const SERVICE = "/api/v1/namespaces/default/services/web/proxy";

test.each([
  ["GET", `${POD}/a/b?q=1&r=%20`, "/a/b?q=1&r=%20"],
  ["POST", `${POD}/a/`, "/a/"],
  ["PUT", "/api/v1/namespaces/default/pods/web:8080/proxy/x", "/x"],
  ["PATCH", "/api/v1/namespaces/default/pods/http:web:8080/proxy/x", "/x"],
  ["DELETE", `${SERVICE}/x`, undefined],
  ["DELETE", "/api/v1/namespaces/default/services/web:http/proxy/x", "/x"],
  ["OPTIONS", "/api/v1/namespaces/default/services/web:80/proxy/x%2Fy", "/x/y"],
  ["GET", "/api/v1/namespaces/default/services/http:web:http/proxy/", "/"],
])("%s %s", async (method, path, want) => {
  const { status, text } = await ask(method, path);
  // The service's port has a name: without one there is no such port.
  expect(status).toBe(want === undefined ? 503 : 200);
  if (want === undefined) return;
  expect(text).toBe("hello");
  expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([`${method} ${want}`]);
});

test("HEAD has a head alone, over HTTP/1.1", async () => {
  answer = (_message, response) => void response.writeHead(200, { "content-length": "1234", "x-a": "b" }).end();
  const { status, headers, text } = await ask("HEAD", `${POD}/x`);
  expect([status, headers["content-length"], headers["x-a"], text]).toEqual([200, "1234", "b", ""]);
});

test("over HTTP/2 everything is the same", async () => {
  answer = (message, response) => {
    let body = "";
    message.on("data", (chunk) => {
      body += chunk;
    });
    message.on("end", () => {
      const lines = ["Content-Type", "text/plain", "Content-Type", "text/html", "Set-Cookie", "a=1", "Set-Cookie", "b=2"];
      response.writeHead(201, [...lines, "Connection", "close", "Keep-Alive", "timeout=5"]);
      response.end(`${message.headers.host} ${body}`);
    });
  };
  const { ca, cert, key } = cluster.credentials;
  const session = connect(cluster.url, { ca, cert, key });
  try {
    const stream = session.request({ ":method": "POST", ":path": `${POD}/form` });
    const head = once(stream, "response");
    stream.end("sent");
    const [headers] = (await head) as [Record<string, unknown>];
    expect(headers).toMatchObject({ ":status": 201, "content-type": "text/plain", "set-cookie": ["a=1", "b=2"] });
    expect(await text(stream)).toBe(`${new URL(cluster.url).host} sent`);
    const long = session.request({ ":path": `${POD}/x`, ":method": "HEAD" });
    const [answered] = (await once(long, "response")) as [Record<string, unknown>];
    expect(answered[":status"]).toBe(201);
    long.close();
  } finally {
    session.close();
  }
});

test("an empty path leads to a slash", async () => {
  const { status, headers } = await ask("GET", `${POD}?a=b`);
  expect([status, headers.location]).toEqual([301, `${POD}/?a=b`]);
  expect((await ask("POST", POD, { a: 1 })).status).toBe(200);
  expect(seen[0]?.url).toBe("/");
});

test("bodies of any length go on as they come", async () => {
  const chunks: Buffer[] = [];
  answer = (message, response) => {
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    message.on("end", () => response.end(String(Buffer.concat(chunks).length)));
  };
  const { text } = await ask("POST", `${POD}/upload`, { text: "x".repeat(5_000_000) });
  expect(Number(text)).toBeGreaterThan(5_000_000);
});

test("a backend that wants no body leaves the connection usable", async () => {
  answer = (message, response) => {
    response.writeHead(413, { connection: "close" }).end("too much");
    message.destroy();
  };
  const { ca, cert, key } = cluster.credentials;
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca, cert, key });
  const post = (body: Buffer): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request(`${cluster.url}${POD}/upload`, { method: "POST", agent }, (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
      });
      sent.on("error", reject);
      sent.end(body);
    });
  try {
    // The backend may be gone before its answer has been read.
    expect([413, 503]).toContain(await post(Buffer.alloc(10_000_000)));
    answer = (_message, response) => void response.end("hello");
    expect(await post(Buffer.from("small"))).toBe(200);
  } finally {
    agent.destroy();
  }
});

test("the backend learns where it is shown, and nothing of who asks", async () => {
  const token = `Bearer ${"x".repeat(20)}`;
  await ask("GET", `${POD}/a/b/`, undefined, {
    "x-forwarded-for": "9.9.9.9",
    "x-custom": "1",
    connection: "x-hop",
    "x-hop": "1",
    "x-remote-user": "root",
    cookie: "a=b",
  });
  const { headers } = seen[0] as IncomingMessage;
  expect(headers).toMatchObject({ "x-custom": "1", cookie: "a=b", "x-forwarded-uri": `${POD}/a/b/` });
  expect(headers["x-forwarded-for"]).toMatch(/^9\.9\.9\.9, (::ffff:)?127\.0\.0\.1$/);
  expect(headers["x-hop"]).toBeUndefined();
  expect(headers["x-remote-user"]).toBeUndefined();
  // A token that nobody knows does not come through either.
  await ask("GET", `${POD}/a`, undefined, { authorization: token });
  expect(seen[1]?.headers.authorization).toBeUndefined();
});

test("redirects and links lead through the proxy", async () => {
  answer = (_message, response) => void response.writeHead(302, { location: "/login?a=b", "set-cookie": ["a=1", "b=2"] }).end();
  const { status, headers } = await ask("GET", `${SERVICE.replace("web", "web:http")}/x`);
  expect([status, headers.location]).toEqual([302, `${SERVICE.replace("web", "web:http")}/login?a=b`]);
  expect(headers["set-cookie"]).toEqual(["a=1", "b=2"]);
  answer = (_message, response) => {
    const page = '<html><a href="/next">n</a><img src="rel.png"><a href="https://example.com/x">e</a></html>';
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "access-control-allow-origin": "*" }).end(page);
  };
  const page = await ask("GET", `${POD}/x`);
  const want = `<html><a href="${POD}/next">n</a><img src="rel.png"><a href="https://example.com/x">e</a></html>`;
  expect(page.text).toBe(want);
  expect(page.headers["content-length"]).toBe(String(want.length));
  expect(page.headers["access-control-allow-origin"]).toBeUndefined();
});

test("a packed page stays packed", async () => {
  answer = (_message, response) => {
    response.writeHead(200, { "content-type": "text/html", "content-encoding": "gzip" }).end(gzipSync('<a href="/n">'));
  };
  const body = await raw("GET", `${POD}/x`);
  expect(gunzipSync(body).toString()).toBe(`<a href="${POD}/n">`);
});

function raw(method: string, path: string): Promise<Buffer> {
  const { ca, cert, key } = cluster.credentials;
  return new Promise((resolve, reject) => {
    const sent = request(`${cluster.url}${path}`, { method, ca, cert, key, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(Buffer.concat(chunks)));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

test("what comes late comes through at once, and a client that goes ends it", async () => {
  let open: ServerResponse | undefined;
  answer = (_message, response) => {
    open = response;
    response.write("first");
  };
  const { ca, cert, key } = cluster.credentials;
  const first = await new Promise<string>((resolve, reject) => {
    const sent = request(`${cluster.url}${POD}/events`, { ca, cert, key, agent: false }, (response) => {
      response.once("data", (chunk) => {
        resolve(String(chunk));
        sent.destroy();
      });
      response.on("error", () => {});
    });
    sent.on("error", reject);
    sent.end();
  });
  expect(first).toBe("first");
  await eventually(() => open?.destroyed === true);
});

test("an answer that breaks off breaks off for the client", async () => {
  answer = (_message, response) => {
    response.write("half");
    setTimeout(() => response.destroy(), 20);
  };
  await expect(raw("GET", `${POD}/x`)).rejects.toThrow();
});

const refusals: [string, string, Partial<Answered["body"]>][] = [
  [
    "an address that is not for others",
    "/api/v1/namespaces/default/pods/sly/proxy/x",
    { code: 400, message: "address not allowed" },
  ],
  [
    "an endpoint that is no pod",
    "/api/v1/namespaces/default/services/bare:http/proxy/x",
    { code: 503, message: 'no endpoints available for service "bare"' },
  ],
  [
    "a strange name",
    "/api/v1/namespaces/default/pods/ftp:web:1/proxy/x",
    { code: 400, message: 'invalid pod request "ftp:web:1"' },
  ],
  ["nothing is tried out", `${POD}/x?dryRun=All`, { code: 400, message: "dryRun is not supported" }],
];

test.each(refusals)("%s", async (_name, path, want) => {
  expect((await ask("GET", path)).body).toMatchObject(want);
});

test("a backend that is not there", async () => {
  ports.set("10.99.0.6", 1);
  await makePod("away", "10.99.0.6");
  const { status, body } = await ask("GET", "/api/v1/namespaces/default/pods/away/proxy/x");
  expect(status).toBe(503);
  expect(body.message).toMatch(/^error trying to reach service: dial tcp .*: connect: connection refused$/);
});

test("a node's kubelet, and what else listens there; not where its address is this machine's own", async () => {
  kubelet.requests.length = 0;
  expect((await ask("GET", "/api/v1/nodes/fake-node/proxy/healthz")).text).toBe("fake\n");
  expect((await ask("GET", "/api/v1/nodes/https:fake-node:10250/proxy/pods?x=1")).text).toBe("fake\n");
  expect(kubelet.requests).toEqual(["GET /healthz", "GET /pods?x=1"]);
  for (const [name, address] of [
    ["sly-node", "127.0.0.1"],
    ["sly-name", "localhost"],
  ] as const) {
    await makeNode(name, [{ type: "Hostname", address }]);
    for (const port of ["", ":10250", ":80"]) {
      const { body } = await ask("GET", `/api/v1/nodes/${name}${port}/proxy/x`);
      expect(body).toMatchObject({ code: 400, message: "address not allowed" });
    }
  }
});

interface Opened {
  readonly status: number;
  readonly body: string;
  readonly socket: Duplex | undefined;
  readonly head: Buffer;
}

function upgrade(path: string, headers: Record<string, string> = {}): Promise<Opened> {
  const { ca, cert, key } = cluster.credentials;
  const all = { connection: "Upgrade", upgrade: "echo/1", ...headers };
  return new Promise((resolve, reject) => {
    const sent = request(`${cluster.url}${path}`, { ca, cert, key, headers: all, agent: false });
    sent.on("upgrade", ({ statusCode = 0 }, socket, head) => resolve({ status: statusCode, body: "", socket, head }));
    sent.on("response", (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, socket: undefined, head: Buffer.alloc(0) }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

test("another protocol is joined once the backend agrees", async () => {
  backend.once("upgrade", (message: IncomingMessage, socket: Duplex) => {
    seen.push(message);
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\n\r\nhi ");
    socket.on("data", (chunk) => socket.write(chunk));
    socket.on("end", () => socket.end("bye"));
  });
  const { status, socket, head } = await upgrade(`${POD}/echo?a=b`);
  expect(status).toBe(101);
  expect(seen[0]?.url).toBe("/echo?a=b");
  let text = String(head);
  socket?.on("data", (chunk) => {
    text += chunk;
  });
  socket?.write("there");
  await eventually(() => text === "hi there");
  const closed = new Promise((resolve) => socket?.once("close", resolve));
  socket?.end();
  await closed;
});

test.each([
  ["HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", 403, "no"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 500, "invalid upgrade response: status code 200"],
  [
    "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n",
    500,
    "invalid upgrade response: status code 302",
  ],
])("a backend that does not agree: %s", async (text, status, want) => {
  backend.once("upgrade", (_message: IncomingMessage, socket: Duplex) => socket.write(text));
  const answered = await upgrade(`${POD}/echo`);
  expect(answered.status).toBe(status);
  expect(answered.body).toContain(want);
});

test("when the server stops, what is joined ends", async () => {
  const sides: Duplex[] = [];
  backend.once("upgrade", (_message: IncomingMessage, socket: Duplex) => {
    sides.push(socket);
    socket.on("error", () => {});
    socket.resume();
    socket.on("end", () => socket.end());
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\n\r\n");
  });
  const { socket } = await upgrade(`${POD}/echo`);
  const closed = new Promise((resolve) => socket?.once("close", resolve));
  socket?.on("error", () => {});
  socket?.resume();
  await cluster.stop();
  await closed;
  await eventually(() => sides[0]?.destroyed === true);
});
