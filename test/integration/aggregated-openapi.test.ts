import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { type Answered, asker } from "../support/ask.ts";
import { eventually } from "../support/kubectl.ts";

const API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices";
const PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/** An aggregated API server that knows its resources and documents alone. */
class DocumentServer {
  readonly group: string;
  readonly asked: { readonly url: string; readonly tag: string | undefined }[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(group: string, hasVersion3: boolean) {
    this.group = group;
    const now = realClock.now();
    const ca = createAuthority("documents-ca", now);
    const leaf = issueCertificate(ca, { commonName: "documents", organizations: [], usages: ["server"], hosts: ["tiny"] }, now);
    const root = `/apis/${group}/v1`;
    const answers: Record<string, object> = {
      [root]: {
        kind: "APIResourceList",
        apiVersion: "v1",
        groupVersion: `${group}/v1`,
        resources: [{ name: "things", singularName: "thing", namespaced: true, kind: "Thing", verbs: ["get", "list"] }],
      },
      "/openapi/v2": versionTwo(group),
      ...(hasVersion3 && {
        "/openapi/v3": { paths: { [`apis/${group}/v1`]: { serverRelativeURL: `/openapi/v3${root}?hash=1` }, version: {} } },
        [`/openapi/v3${root}?hash=1`]: { openapi: "3.0.0", mark: group },
      }),
    };
    this.#server = createServer({ cert: leaf.cert, key: leaf.key }, (request, response) => {
      const { url = "", headers } = request;
      const tag = headers["if-none-match"];
      this.asked.push({ url, tag });
      const answer = answers[url];
      if (tag === '"1"') response.writeHead(304, { etag: '"1"' }).end();
      else if (answer === undefined) response.writeHead(404).end();
      else response.writeHead(200, { "content-type": "application/json", etag: '"1"' }).end(JSON.stringify(answer));
    });
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
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

/** A document with a type of its own, one that this server has too, and one that only goes by the name of such. */
function versionTwo(group: string): object {
  const reference = (name: string): object => ({ $ref: `#/definitions/${name}` });
  const operation = (schema: object): object => ({
    get: { operationId: "x", produces: ["application/json"], responses: { 200: { description: "OK", schema } } },
  });
  return {
    swagger: "2.0",
    info: { title: "Tiny", version: "v1" },
    paths: { [`/apis/${group}/v1/things`]: operation(reference(`${group}.Thing`)), "/version/": operation(reference("Version")) },
    definitions: {
      [`${group}.Thing`]: {
        type: "object",
        properties: {
          size: { type: "integer", maximum: 9 },
          metadata: reference("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"),
          kind: reference("io.k8s.apimachinery.pkg.runtime.RawExtension"),
        },
        "x-kubernetes-group-version-kind": [{ group, kind: "Thing", version: "v1" }],
      },
      "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": { type: "object", properties: { name: { type: "string" } } },
      "io.k8s.apimachinery.pkg.runtime.RawExtension": { type: "object", description: "Said otherwise." },
      Version: { type: "object" },
    },
  };
}

describe("OpenAPI of aggregated servers", () => {
  const modern = new DocumentServer("modern.example.com", true);
  const old = new DocumentServer("old.example.com", false);
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  const json = async (path: string): Promise<Answered["body"]> =>
    (await ask("GET", path, undefined, { accept: "application/json" })).body;

  const register = async ({ group }: DocumentServer, port: number): Promise<void> => {
    const name = group.split(".")[0] ?? "";
    const address = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.family === "IPv4" && !each.internal)?.address;
    await ask("POST", "/api/v1/namespaces/default/services", { metadata: { name }, spec: { ports: [{ port: 443 }] } });
    await ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
      metadata: { name, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints: [{ addresses: [address] }],
      ports: [{ name: "", port, protocol: "TCP" }],
    });
    const service = { name, namespace: "default" };
    const spec = { group, version: "v1", groupPriorityMinimum: 2000, versionPriority: 10, insecureSkipTLSVerify: true, service };
    await ask("POST", API_SERVICES, { metadata: { name: `v1.${group}` }, spec });
  };

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
    for (const server of [modern, old]) await register(server, await server.start());
    await eventually(async () => {
      const { paths } = await json("/openapi/v2");
      return [modern, old].every(({ group }) => paths[`/apis/${group}/v1/things`] !== undefined);
    });
  });
  afterAll(async () => {
    await cluster?.stop();
    await modern.stop();
    await old.stop();
  });

  test("version 2 has their paths and types; a type that is another gets another name", async () => {
    const { definitions, paths, info } = await json("/openapi/v2");
    expect(info.title).toBe("Kubernetes");
    expect(paths["/version/"].get.operationId).toBe("getCodeVersion");
    expect(definitions.Version).toBeUndefined();
    const { properties } = definitions["modern.example.com.Thing"];
    expect(properties.metadata.$ref).toBe("#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta_v2");
    expect(properties.kind.$ref).toBe("#/definitions/io.k8s.apimachinery.pkg.runtime.RawExtension");
    expect(definitions["old.example.com.Thing"].properties.metadata.$ref).toMatch(/ObjectMeta_v2$/);
    expect(definitions["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta_v3"]).toBeUndefined();
  });

  test("the same as protobuf, and not again for those who have it", async () => {
    const whole = await ask("GET", "/openapi/v2", undefined, { accept: PROTOBUF });
    expect(whole.text).toContain("old.example.com.Thing");
    const { etag } = whole.headers;
    const again = await ask("GET", "/openapi/v2", undefined, { accept: PROTOBUF, "if-none-match": `"other", ${etag}` });
    expect(again).toMatchObject({ status: 304, text: "" });
  });

  test("version 3 leads to their documents, and to one made of version 2 for those that have none", async () => {
    const { paths } = JSON.parse((await ask("GET", "/openapi/v3")).text);
    expect(await json(paths["apis/modern.example.com/v1"].serverRelativeURL)).toEqual({ openapi: "3.0.0", mark: modern.group });
    const { serverRelativeURL } = paths["apis/old.example.com/v1"];
    const made = await ask("GET", serverRelativeURL, undefined, { accept: "application/json" });
    expect(made.headers).toMatchObject({ "cache-control": "public, immutable", expires: expect.any(String) });
    expect(made.body.components.schemas["old.example.com.Thing"].properties.size).toEqual({ type: "integer", maximum: 9 });
    expect((await ask("GET", "/openapi/v3/version")).status).toBe(200);
  });

  test("what goes takes its documents along", async () => {
    const before = modern.asked.filter(({ url }) => url === "/openapi/v2").length;
    expect(before).toBeLessThan(5);
    await ask("DELETE", `${API_SERVICES}/v1.${modern.group}`);
    await eventually(async () => (await json("/openapi/v2")).paths[`/apis/${modern.group}/v1/things`] === undefined);
    expect((await json("/openapi/v2")).definitions["modern.example.com.Thing"]).toBeUndefined();
    const { paths } = JSON.parse((await ask("GET", "/openapi/v3")).text);
    expect(Object.keys(paths)).not.toContain("apis/modern.example.com/v1");
  });
});
