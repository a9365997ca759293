import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { encodeFrame, FrameReader, Opcode } from "#apimachinery/httpstream/websocket/frames.ts";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";
import { FakeKubelet, networkOf } from "../support/fake-kubelet.ts";
import { finish, serveCommand } from "../support/fake-streams.ts";
import { eventually } from "../support/kubectl.ts";

let cluster: Cluster;
let kubelet: FakeKubelet;
let ask: ReturnType<typeof asker>;
const POD = "/api/v1/namespaces/default/pods/web";
const MASK = Buffer.of(1, 2, 3, 4);

beforeAll(async () => {
  kubelet = await FakeKubelet.start();
  cluster = await startCluster({
    nodes: 0,
    network: networkOf(
      new Map([
        ["fake-node", kubelet.port],
        ["dead-node", 1],
      ]),
    ),
  });
  ask = asker(cluster);
  const addresses = [{ type: "Hostname", address: "fake-node" }];
  const node = { metadata: { name: "fake-node" }, status: { addresses, daemonEndpoints: { kubeletEndpoint: { Port: 10250 } } } };
  await ask("POST", "/api/v1/nodes", node);
  const dead = { addresses: [{ type: "Hostname", address: "dead-node" }], daemonEndpoints: node.status.daemonEndpoints };
  await ask("POST", "/api/v1/nodes", { metadata: { name: "dead-node" }, status: dead });
  for (const [name, names, nodeName] of [
    ["web", ["main"], "fake-node"],
    ["two", ["one", "other"], "fake-node"],
    ["waiting", ["main"], undefined],
    ["lost", ["main"], "no-node"],
    ["away", ["main"], "dead-node"],
  ] as const) {
    const spec = { nodeName, serviceAccountName: "default", containers: names.map((each) => ({ name: each, image: "x" })) };
    await eventually(
      async () => (await ask("POST", "/api/v1/namespaces/default/pods", { metadata: { name }, spec })).status === 201,
    );
  }
}, 60_000);
afterAll(async () => {
  await cluster?.stop();
  await kubelet?.stop();
});
beforeEach(() => {
  kubelet.requests.length = 0;
});

test.each([
  ["", "stream=All"],
  ["?follow=true&timestamps=1&previous=false", "follow=true&stream=All&timestamps=true"],
  ["?tailLines=5&limitBytes=9&sinceSeconds=3", "limitBytes=9&sinceSeconds=3&stream=All&tailLines=5"],
  ["?sinceTime=2026-01-02T03:04:05.678%2B01:00&stream=Stdout", "sinceTime=2026-01-02T02%3A04%3A05Z&stream=Stdout"],
  ["?container=main&previous=true&insecureSkipTLSVerifyBackend=true", "previous=true&stream=All"],
])("logs%s", async (query, want) => {
  const { status, headers, text } = await ask("GET", `${POD}/log${query}`);
  expect([status, headers["content-type"], text]).toEqual([200, "text/plain", "fake\n"]);
  expect(kubelet.requests).toEqual([`GET /containerLogs/default/web/main?${want}`]);
});

test.each([
  ["pods/web/log?sinceTime=yesterday", 400, /^parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse/],
  ["pods/web/log?limitBytes=0", 422, /limitBytes: Invalid value: 0: must be greater than 0/],
  ["pods/two/log", 400, /^a container name must be specified for pod two, choose one of: \[one other\]$/],
  ["pods/web/log?container=x", 400, /^container x is not valid for pod web$/],
  ["pods/lost/log", 404, /^pods "no-node" not found$/],
  ["pods/waiting/exec?command=x", 400, /^pod waiting does not have a host assigned$/],
  ["pods/web/exec?command=x", 400, /^Upgrade request required$/],
  ["pods/web/portforward?ports=x", 400, /^cannot convert to \[\]int32: strconv.ParseUint: parsing "x": invalid syntax$/],
])("%s: %i", async (path, status, message) => {
  const { body } = await ask("GET", `/api/v1/namespaces/default/${path}`);
  expect(body.code).toBe(status);
  expect(body.message).toMatch(message);
});

test("what a kubelet refuses is told in its words, and its redirects lead nowhere", async () => {
  const plain = kubelet.onRequest;
  try {
    kubelet.onRequest = (_, response) => void response.writeHead(400).end("container is waiting to start");
    expect((await ask("GET", `${POD}/log`)).body).toMatchObject({ code: 400, message: "container is waiting to start" });
    kubelet.onRequest = (_, response) => void response.writeHead(404).end("no such container");
    expect((await ask("GET", `${POD}/log`)).body).toMatchObject({ code: 404, reason: "NotFound" });
    kubelet.onRequest = (_, response) => void response.writeHead(302, { location: "http://10.0.0.1/secret" }).end();
    expect((await ask("GET", `${POD}/log`)).body).toMatchObject({ code: 500 });
  } finally {
    kubelet.onRequest = plain;
  }
  expect(kubelet.requests).toHaveLength(3);
});

test("a node that does not answer is told in Go's words", async () => {
  const { body } = await ask("GET", "/api/v1/namespaces/default/pods/away/log");
  expect(body.code).toBe(500);
  const log =
    /^Get "https:\/\/dead-node:10250\/containerLogs\/default\/away\/main\?stream=All": dial tcp .*: connect: connection refused$/;
  expect(body.message).toMatch(log);
  const client = await webSocket("/api/v1/namespaces/default/pods/away/exec?command=x&stdout=true", "v5.channel.k8s.io");
  await client.closed;
  const { message } = JSON.parse(byChannel(client.messages, 3));
  const post =
    /^Internal error occurred: error sending request: Post "https:\/\/dead-node:10250\/exec\/default\/away\/main\?command=x&output=1": dial tcp .*: connect: connection refused$/;
  expect(message).toMatch(post);
});

interface WebSocketClient {
  readonly status: number;
  readonly protocol: string;
  readonly messages: Buffer[];
  readonly closed: Promise<number>;
  send(payload: Buffer | string): void;
  readonly socket: Duplex | undefined;
}

/** Who asks, by a client certificate unless `headers` say otherwise. */
function webSocket(path: string, protocol: string): Promise<WebSocketClient> {
  const { ca, cert, key } = cluster.credentials;
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...(protocol === "" ? {} : { "sec-websocket-protocol": protocol }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${cluster.url}${path}`, { ca, cert, key, headers, agent: false });
    sent.on("upgrade", (response, socket, head) => {
      const messages: Buffer[] = [];
      const reader = new FrameReader(1024 * 1024);
      let code = 0;
      const closed = new Promise<number>((done) => socket.once("close", () => done(code)));
      const read = (chunk: Buffer): void => {
        for (const { opcode, payload } of reader.read(chunk)) {
          if (opcode === Opcode.close) {
            code = payload.readUInt16BE(0);
            socket.end();
          } else messages.push(payload);
        }
      };
      if (head.length > 0) read(head);
      socket.on("data", read);
      socket.on("error", () => {});
      const send = (payload: Buffer | string): void =>
        void socket.write(encodeFrame(Opcode.binary, Buffer.from(payload as string, "latin1"), MASK));
      const spoken = String(response.headers["sec-websocket-protocol"] ?? "");
      resolve({ status: response.statusCode ?? 0, protocol: spoken, messages, closed, send, socket });
    });
    sent.on("response", (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      resolve({ status, protocol: "", messages: [], closed: Promise.resolve(0), send: () => {}, socket: undefined });
    });
    sent.on("error", reject);
    sent.end();
  });
}

test.each([
  ["", "fake\n"],
  ["binary.k8s.io", "fake\n"],
  ["base64.binary.k8s.io", Buffer.from("fake\n").toString("base64")],
])("logs over a WebSocket that speaks %s", async (protocol, want) => {
  const client = await webSocket(`${POD}/log`, protocol);
  expect([client.status, client.protocol]).toEqual([101, protocol]);
  expect(await client.closed).toBe(1000);
  expect(Buffer.concat(client.messages).toString()).toBe(want);
});

test("a log has no other protocols", async () => {
  expect((await webSocket(`${POD}/log`, "v5.channel.k8s.io")).status).toBe(403);
});

test("a log that goes on ends when the client goes", async () => {
  let ended = false;
  const plain = kubelet.onRequest;
  kubelet.onRequest = (_, response) => {
    response.write("first\n");
    response.once("close", () => {
      ended = true;
    });
  };
  const client = await webSocket(`${POD}/log?follow=true`, "");
  await eventually(() => client.messages.length > 0);
  client.socket?.destroy();
  await eventually(() => ended);
  kubelet.onRequest = plain;
});

const byChannel = (messages: readonly Buffer[], channel: number): string =>
  messages
    .filter((message) => message[0] === channel)
    .map((message) => message.subarray(1).toString())
    .join("");

test("exec over v5 speaks SPDY with the kubelet", async () => {
  let ran = "";
  kubelet.onUpgrade = (request, socket) =>
    serveCommand(request, socket, (streams, query) => {
      ran = query.getAll("command").join(" ");
      streams.stderr?.write("oops");
      let text = "";
      streams.stdin?.on("data", (chunk) => {
        text += chunk;
      });
      streams.stdin?.once("end", () => {
        streams.stdout?.write(text.toUpperCase());
        finish(streams, 3);
      });
    });
  const client = await webSocket(
    `${POD}/exec?command=tr&command=a%20b&stdin=true&stdout=true&stderr=true&container=main`,
    "v5.channel.k8s.io",
  );
  expect([client.status, client.protocol]).toEqual([101, "v5.channel.k8s.io"]);
  client.send("\x00hello ");
  client.send("\x00there");
  client.send("\xff\x00");
  expect(await client.closed).toBe(1000);
  expect(ran).toBe("tr a b");
  expect(kubelet.requests).toEqual(["POST /exec/default/web/main?command=tr&command=a+b&error=1&input=1&output=1"]);
  expect(client.messages[0]).toEqual(Buffer.of(1));
  expect(byChannel(client.messages, 1)).toBe("HELLO THERE");
  expect(byChannel(client.messages, 2)).toBe("oops");
  expect(JSON.parse(byChannel(client.messages, 3))).toEqual({
    metadata: {},
    status: "Failure",
    message: "command terminated with non-zero exit code: command terminated with exit code 3",
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: "3" }] },
  });
});

test("attach over v5 with a terminal: sizes go to the kubelet, and success is told", async () => {
  let sizes = "";
  kubelet.onUpgrade = (request, socket) =>
    serveCommand(request, socket, (streams) => {
      expect(Object.keys(streams).sort()).toEqual(["error", "resize", "stdin", "stdout"]);
      streams.resize?.on("data", (chunk) => {
        sizes += chunk;
        streams.stdout?.write(`$ ${sizes}`);
        finish(streams, 0);
      });
    });
  const client = await webSocket(`${POD}/attach?stdin=1&stdout=1&stderr=1&tty=1`, "v5.channel.k8s.io");
  client.send('\x04{"Width":80,"Height":24}\n');
  expect(await client.closed).toBe(1000);
  expect(sizes).toBe('{"Width":80,"Height":24}\n');
  expect(byChannel(client.messages, 1)).toBe(`$ ${sizes}`);
  expect(JSON.parse(byChannel(client.messages, 3))).toEqual({ metadata: {}, status: "Success" });
});

test("more than fits anywhere goes through, no faster than the client reads", async () => {
  const bytes = 20_000_000;
  kubelet.onUpgrade = (request, socket) =>
    serveCommand(request, socket, (streams) => {
      const piece = Buffer.alloc(100_000, "y");
      let left = bytes;
      const more = (): void => {
        left -= piece.length;
        if (left < 0) finish(streams, 0);
        else streams.stdout?.write(piece, more);
      };
      more();
    });
  const client = await webSocket(`${POD}/exec?command=yes&stdout=true`, "v5.channel.k8s.io");
  expect(await client.closed).toBe(1000);
  const received = client.messages.filter(([first]) => first === 1).reduce((sum, { length }) => sum + length - 1, 0);
  expect(received).toBe(bytes);
});

test("a kubelet that refuses, or is lost, is told on the error channel", async () => {
  const refuse = "HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\npod not found\n";
  kubelet.onUpgrade = (_request, socket) => void socket.end(refuse);
  const refused = await webSocket(`${POD}/exec?command=x&stdout=true`, "v5.channel.k8s.io");
  await refused.closed;
  expect(JSON.parse(byChannel(refused.messages, 3))).toMatchObject({
    status: "Failure",
    code: 500,
    message: "Internal error occurred: unable to upgrade connection: pod not found",
  });
  const body = JSON.stringify({
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    message: "not yours",
    reason: "Forbidden",
    code: 403,
  });
  kubelet.onUpgrade = (_request, socket) =>
    void socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const forbidden = await webSocket(`${POD}/exec?command=x&stdout=true`, "v5.channel.k8s.io");
  await forbidden.closed;
  expect(JSON.parse(byChannel(forbidden.messages, 3))).toMatchObject({ message: "not yours", reason: "Forbidden", code: 403 });
  kubelet.onUpgrade = (request, socket) => serveCommand(request, socket, () => socket.destroy());
  const lost = await webSocket(`${POD}/exec?command=x&stdout=true`, "v5.channel.k8s.io");
  await lost.closed;
  expect(JSON.parse(byChannel(lost.messages, 3))).toMatchObject({ status: "Failure", reason: "InternalError" });
});

test("a client that goes takes the connection to the kubelet with it", async () => {
  let running = 0;
  kubelet.onUpgrade = (request, socket) => {
    serveCommand(request, socket, () => {
      running++;
    });
    socket.once("close", () => running--);
  };
  const client = await webSocket(`${POD}/exec?command=sleep&stdout=true&stdin=true`, "v5.channel.k8s.io");
  await eventually(() => running === 1);
  client.socket?.destroy();
  await eventually(() => running === 0);
  expect(kubelet.sockets.size).toBe(0);
});

test("v4 is the kubelet's to speak", async () => {
  kubelet.onUpgrade = (_request: IncomingMessage, socket) => {
    const accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: v4.channel.k8s.io";
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${accept}\r\n\r\n`);
    socket.write(encodeFrame(Opcode.binary, Buffer.from("\x01from the kubelet")));
  };
  const client = await webSocket(`${POD}/exec?command=x&stdout=true`, "v4.channel.k8s.io");
  expect([client.status, client.protocol]).toEqual([101, "v4.channel.k8s.io"]);
  await eventually(() => byChannel(client.messages, 1) === "from the kubelet");
  expect(kubelet.requests).toEqual(["GET /exec/default/web/main?command=x&output=1"]);
  client.socket?.destroy();
  await eventually(() => kubelet.sockets.size === 0);
});

test("who may only get may not exec by that", async () => {
  await ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", {
    metadata: { name: "getter" },
    rules: [{ apiGroups: [""], resources: ["pods/exec"], verbs: ["get"] }],
  });
  await ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
    metadata: { name: "getter" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "getter" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "jane" }],
  });
  const { body } = await ask("GET", `${POD}/exec?command=x`, undefined, { "impersonate-user": "jane" });
  expect(body).toMatchObject({ code: 403, reason: "Forbidden" });
  expect(body.message).toContain('pods "web" is forbidden: User "jane" cannot create resource "pods/exec"');
});
