import { createSecureServer, type ServerHttp2Session } from "node:http2";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { fencedClient } from "#client/fenced-client.ts";
import { createRestClient } from "#client/rest-client.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";

const PODS = { group: "", version: "v1", resource: "pods" };
const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" } };
const WRITES: readonly (readonly [string, (client: Client) => Promise<unknown>])[] = [
  ["create", (client) => client.create(PODS, "ns", pod)],
  ["update", (client) => client.update(PODS, "ns", "p", pod)],
  ["patch", (client) => client.patch(PODS, "ns", "p", "application/merge-patch+json", {})],
  ["delete", (client) => client.delete(PODS, "ns", "p")],
  ["delete of all", (client) => client.deleteCollection(PODS, "ns")],
];

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)));

/** A server behind a balancer that takes connections, and finds somebody to pass them on to when it is told. */
async function slowlyConnected(): Promise<{
  readonly client: Client;
  readonly asked: string[];
  readonly pass: () => void;
  readonly close: () => void;
}> {
  const ca = createAuthority("ca", realClock.now());
  const request = { commonName: "server", usages: ["server"] as const, hosts: ["127.0.0.1"] };
  const backend = createSecureServer({ ...issueCertificate(ca, request, realClock.now()) });
  const sessions = new Set<ServerHttp2Session>();
  const asked: string[] = [];
  backend.on("session", (session) => sessions.add(session));
  backend.on("stream", (stream, headers) => {
    asked.push(`${headers[":method"]}`);
    stream.respond({ ":status": 200, "content-type": "application/json" });
    stream.end("{}");
  });
  const port = await listen(backend as unknown as Server);
  const sockets: Socket[] = [];
  const waiting: Socket[] = [];
  let passes = false;
  const join = (socket: Socket): void => {
    const next = createConnection(port, "127.0.0.1");
    sockets.push(next);
    next.on("error", () => undefined);
    socket.pipe(next).pipe(socket);
  };
  const balancer = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    if (passes) join(socket);
    else waiting.push(socket);
  });
  const server = `https://127.0.0.1:${await listen(balancer)}`;
  const client = createRestClient({ server, ca: ca.cert, userAgent: "test", clock: realClock });
  return {
    client,
    asked,
    pass: () => {
      passes = true;
      for (const socket of waiting.splice(0)) join(socket);
    },
    close: () => {
      client.close();
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      balancer.close();
      backend.close();
    },
  };
}

test.each(WRITES)(
  "what a leader wanted to write is not written when its time is over before there is a connection: %s",
  async (_, write) => {
    const { client, asked, pass, close } = await slowlyConnected();
    try {
      let holds = true;
      const fenced = fencedClient(client, { holds: () => holds, track: (promise) => promise });
      const writing = write(fenced).then(
        () => "written",
        (error: unknown) => `${error}`,
      );
      const reading = client.get(PODS, "ns", "p");
      holds = false;
      pass();
      expect(await writing).toContain("nothing was sent");
      await reading;
      expect(asked).toEqual(["GET"]);
      holds = true;
      await write(fenced);
      expect(asked).toHaveLength(2);
    } finally {
      close();
    }
  },
);
