import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import type { Duplex } from "node:stream";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";

/** What a server of a pod speaks; gRPC has the health protocol alone. */
export type Speech = "http" | "https" | "grpc";

/** Length and flag before a message of gRPC, then the tag and length of the service's name. */
const REQUEST_HEAD_BYTES = 7;
const SERVING = 1;
const NOT_SERVING = 2;

/**
 * Servers of this process to which pods lead, so that a test says how they are and sees what they were asked. `/elsewhere`
 * leads to another host, `/away` to `/healthz`; everything else is well as long as the pod is.
 */
export class PodServers implements AsyncDisposable {
  /** Pods whose servers are ill. */
  readonly ill: Set<string> = new Set();
  /** `POD METHOD URL USER-AGENT`, or `POD grpc SERVICE`. */
  readonly asked: string[] = [];
  readonly #servers: Server[] = [];
  readonly #open = new Set<{ destroy(): void }>();

  /** Takes a connection to a pod, which speaks HTTP. */
  take(connection: Duplex, pod: string): void {
    this.#make(pod, "http").emit("connection", connection);
  }

  /** A port of this machine where a pod's server listens. */
  async portOf(pod: string, speech: Speech): Promise<number> {
    const server = this.#make(pod, speech);
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, resolve));
    return (server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#open) socket.destroy();
    await Promise.all(closed);
  }

  #make(pod: string, speech: Speech): Server {
    const answer = (request: IncomingMessage, response: ServerResponse): void => this.#answer(pod, request, response);
    const make = {
      http: () => createHttpServer(answer),
      https: () => createHttpsServer(selfSigned(), answer),
      grpc: () => createHttp2Server().on("stream", (stream) => this.#answerHealth(pod, stream)),
    };
    const server: Server = make[speech]();
    const keep = (one: Duplex | ServerHttp2Session): void => {
      this.#open.add(one);
      one.once("close", () => this.#open.delete(one));
      one.on("error", () => one.destroy());
    };
    return server.on("connection", keep);
  }

  #answer(pod: string, { method = "", url = "", headers }: IncomingMessage, response: ServerResponse): void {
    this.asked.push(`${pod} ${method} ${url} ${headers["user-agent"] ?? ""}`);
    if (this.ill.has(pod)) response.writeHead(500).end("ill");
    else if (url === "/elsewhere") response.writeHead(302, { location: "http://elsewhere.invalid/" }).end("over there");
    else if (url === "/away") response.writeHead(302, { location: "/healthz" }).end();
    else response.writeHead(200).end("well");
  }

  #answerHealth(pod: string, stream: ServerHttp2Stream): void {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => stream.destroy());
    stream.on("end", () => {
      const service = Buffer.concat(chunks).subarray(REQUEST_HEAD_BYTES).toString();
      this.asked.push(`${pod} grpc ${service}`);
      const isKnown = service === "" || service === "liveness";
      const trailers = isKnown ? { "grpc-status": "0" } : { "grpc-status": "5", "grpc-message": "unknown service" };
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers(trailers));
      stream.end(isKnown ? Buffer.of(0, 0, 0, 0, 2, 8, this.ill.has(pod) ? NOT_SERVING : SERVING) : undefined);
    });
  }
}

function selfSigned(): { readonly cert: string; readonly key: string } {
  const now = Date.now();
  const request = { commonName: "pod", usages: ["server"], hosts: ["pod"] } as const;
  const { cert, key } = issueCertificate(createAuthority("pods", now), request, now);
  return { cert, key };
}
