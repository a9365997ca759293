import type { IncomingMessage } from "node:http";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { networkInterfaces } from "node:os";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { type Answered, asker } from "../support/ask.ts";

const API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices";
const GROUP = "tiny.example.com";
const ROOT = `/apis/${GROUP}/v1`;

interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly client: string | undefined;
  readonly body: string;
}

/** The least that an aggregated API server is. */
class TinyApiServer {
  readonly calls: Call[] = [];
  readonly caBundle: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(host: string) {
    const now = realClock.now();
    const ca = createAuthority("tiny-ca", now);
    const leaf = issueCertificate(ca, { commonName: "tiny", organizations: [], usages: ["server"], hosts: [host] }, now);
    this.caBundle = Buffer.from(ca.cert).toString("base64");
    this.#server = createServer({ cert: leaf.cert, key: leaf.key, requestCert: true, rejectUnauthorized: false });
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("request", (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      const client = subject === undefined ? undefined : String(subject.CN);
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        const { method = "", url = "", headers } = request;
        this.calls.push({ method, url, headers, client, body });
        const json = (status: number, value: object) =>
          response.writeHead(status, { "content-type": "application/json", "x-tiny": "yes" }).end(JSON.stringify(value));
        const things = {
          name: "things",
          singularName: "thing",
          namespaced: true,
          kind: "Thing",
          verbs: ["get", "list", "watch"],
        };
        if (url === ROOT) {
          json(200, { kind: "APIResourceList", apiVersion: "v1", groupVersion: `${GROUP}/v1`, resources: [things] });
        } else if (url === "/openapi/v3") {
          json(200, { paths: { [`apis/${GROUP}/v1`]: { serverRelativeURL: `/openapi/v3${ROOT}?hash=1` } } });
        } else if (url === `/openapi/v3${ROOT}?hash=1`) {
          json(200, { openapi: "3.0.0", tiny: true });
        } else if (url.endsWith("/things/moved")) {
          response.writeHead(302, { location: "https://10.0.0.1/" }).end();
        } else if (url.includes("watch=true")) {
          response.writeHead(200, { "content-type": "application/json" });
          response.write('{"type":"ADDED","object":{"n":1}}\n');
          realClock.setTimeout(() => response.end('{"type":"ADDED","object":{"n":2}}\n'), 50);
        } else if (url.startsWith(`${ROOT}/namespaces/default/things`)) {
          json(method === "POST" ? 201 : 200, { kind: "Thing", apiVersion: `${GROUP}/v1`, got: body });
        } else json(404, {});
      });
    });
  }

  /** Echoes, in the words of another protocol. */
  echo(agrees: boolean): void {
    this.#server.once("upgrade", (request: IncomingMessage, socket: Socket) => {
      const client = String((request.socket as TLSSocket).getPeerCertificate().subject?.CN);
      this.calls.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, client, body: "" });
      const refusal = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsorry";
      socket.write(agrees ? "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n" : refusal);
      if (agrees) socket.pipe(socket);
    });
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "0.0.0.0", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe("aggregation", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  const tiny = new TinyApiServer("tiny.default.svc");
  const address = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === "IPv4" && !each.internal)?.address;

  const until = async (path: string, holds: (answer: Answered) => boolean): Promise<Answered> => {
    for (;;) {
      const answer = await ask("GET", path, undefined, { accept: "application/json" });
      if (holds(answer)) return answer;
      await realClock.sleep(20);
    }
  };
  const conditionOf = ({ body }: Answered) => body.status?.conditions?.[0];

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
    const port = await tiny.start();
    await ask("POST", "/api/v1/namespaces/default/services", { metadata: { name: "tiny" }, spec: { ports: [{ port: 443 }] } });
    await ask("POST", API_SERVICES, {
      metadata: { name: `v1.${GROUP}` },
      spec: {
        group: GROUP,
        version: "v1",
        groupPriorityMinimum: 2000,
        versionPriority: 10,
        caBundle: tiny.caBundle,
        service: { name: "tiny", namespace: "default" },
      },
    });
    const before = await until(`${API_SERVICES}/v1.${GROUP}`, (answer) => conditionOf(answer) !== undefined);
    expect(conditionOf(before)).toMatchObject({ status: "False", reason: "EndpointsNotFound" });
    expect(await ask("GET", ROOT)).toMatchObject({ status: 503, text: "service unavailable\n" });
    await ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
      metadata: { name: "tiny", labels: { "kubernetes.io/service-name": "tiny" } },
      addressType: "IPv4",
      endpoints: [{ addresses: [address] }],
      ports: [{ name: "", port, protocol: "TCP" }],
    });
    const after = await until(`${API_SERVICES}/v1.${GROUP}`, (answer) => conditionOf(answer)?.status === "True");
    expect(conditionOf(after)).toMatchObject({ reason: "Passed", message: "all checks passed" });
  });
  afterAll(async () => {
    await cluster?.stop();
    await tiny.stop();
  });

  test("requests are passed on with who asks, and answers come back as they are", async () => {
    const path = `${ROOT}/namespaces/default/things`;
    const headers = { "x-remote-user": "mallory", "x-remote-extra-a": "b", "x-own": "kept" };
    const answer = await ask("POST", `${path}?fieldManager=me`, { a: 1 }, headers);
    expect(answer).toMatchObject({ status: 201, body: { kind: "Thing", got: '{"a":1}' } });
    expect(answer.headers["x-tiny"]).toBe("yes");
    const call = tiny.calls.find(({ method }) => method === "POST");
    expect(call).toMatchObject({
      url: `${path}?fieldManager=me`,
      client: "front-proxy-client",
      headers: { "x-remote-user": "kubernetes-admin", "x-remote-group": "system:masters, system:authenticated", "x-own": "kept" },
    });
    expect(call?.headers["x-remote-extra-a"]).toBeUndefined();
  });

  test("a watch streams", async () => {
    const answer = await ask("GET", `${ROOT}/namespaces/default/things?watch=true`);
    expect(answer.text.trim().split("\n")).toHaveLength(2);
  });

  test("a client is not sent elsewhere", async () => {
    const { status, text } = await ask("GET", `${ROOT}/namespaces/default/things/moved`);
    expect([status, text]).toEqual([502, "the backend attempted to redirect this request, which is not permitted"]);
  });

  function upgrade(
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ status: number; text: string; socket?: Socket }> {
    const { ca, cert, key } = cluster.credentials;
    const all = { connection: "Upgrade", upgrade: "echo", ...headers };
    return new Promise((resolve, reject) => {
      const sent = request(`${cluster.url}${path}`, { ca, cert, key, headers: all, agent: false });
      sent.on("upgrade", ({ statusCode = 0 }, socket: Socket) => resolve({ status: statusCode, text: "", socket }));
      sent.on("response", (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      sent.on("error", reject);
      sent.end();
    });
  }

  test("another protocol is spoken with the server, once it has agreed", async () => {
    tiny.echo(true);
    const path = `${ROOT}/namespaces/default/things/a/exec?command=x`;
    const { status, socket } = await upgrade(path, { "x-remote-user": "mallory", authorization: "Basic bm8=" });
    expect(status).toBe(101);
    const back = new Promise((resolve) => socket?.once("data", resolve));
    socket?.write("hello");
    expect(String(await back)).toBe("hello");
    const call = tiny.calls.find(({ url }) => url === path);
    expect(call).toMatchObject({
      client: "front-proxy-client",
      headers: { upgrade: "echo", "x-remote-user": "kubernetes-admin" },
    });
    expect(call?.headers.authorization).toBeUndefined();
    const closed = new Promise((resolve) => socket?.once("close", resolve));
    socket?.end();
    await closed;
    tiny.echo(false);
    const refused = await upgrade(path, {});
    expect(refused).toMatchObject({ status: 503, text: "invalid upgrade response: status code 200\n" });
  });

  test("discovery lists the group with what its server serves", async () => {
    expect((await ask("GET", `/apis/${GROUP}`)).body).toMatchObject({
      versions: [{ groupVersion: `${GROUP}/v1`, version: "v1" }],
    });
    const { body } = await ask("GET", "/apis");
    expect(body.groups.map((group: { name: string }) => group.name)).toContain(GROUP);
    expect(body.groups[0].name).toBe("apiregistration.k8s.io");
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    for (;;) {
      const aggregated = await ask("GET", "/apis", undefined, { accept });
      const item = JSON.parse(aggregated.text).items.find((each: { metadata: { name: string } }) => each.metadata.name === GROUP);
      if (item.versions[0].freshness === "Current") {
        expect(item.versions[0].resources).toMatchObject([
          { resource: "things", responseKind: { group: GROUP, version: "v1", kind: "Thing" }, scope: "Namespaced" },
        ]);
        break;
      }
      await realClock.sleep(20);
    }
  });

  test("OpenAPI v3 lists the server's documents, and passes on who asks for them", async () => {
    const { text } = await ask("GET", "/openapi/v3");
    const url = JSON.parse(text).paths[`apis/${GROUP}/v1`].serverRelativeURL;
    expect((await ask("GET", url)).body).toEqual({ openapi: "3.0.0", tiny: true });
  });

  test("custom resources get an APIService, and lose it with their definition", async () => {
    const names = { kind: "Widget", plural: "widgets" };
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    await ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      metadata: { name: "widgets.w.example.com" },
      spec: {
        group: "w.example.com",
        names,
        scope: "Namespaced",
        versions: [{ name: "v1", served: true, storage: true, schema }],
      },
    });
    const made = await until(`${API_SERVICES}/v1.w.example.com`, (answer) => conditionOf(answer) !== undefined);
    expect(made.body).toMatchObject({
      metadata: { labels: { "kube-aggregator.kubernetes.io/automanaged": "true" } },
      spec: { group: "w.example.com", version: "v1", groupPriorityMinimum: 1000, versionPriority: 100 },
    });
    expect(conditionOf(made)).toMatchObject({ status: "True", reason: "Local" });
    expect((await ask("GET", "/apis")).body.groups.map((group: { name: string }) => group.name)).toContain("w.example.com");
    await ask("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.w.example.com");
    await until(`${API_SERVICES}/v1.w.example.com`, ({ status }) => status === 404);
  });

  test("a group goes with its APIService", async () => {
    await ask("DELETE", `${API_SERVICES}/v1.${GROUP}`);
    expect((await ask("GET", ROOT)).status).toBe(404);
    expect((await ask("GET", `/apis/${GROUP}`)).status).toBe(404);
  });
});
