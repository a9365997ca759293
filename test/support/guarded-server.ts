import { Agent, request } from "node:https";
import type { Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { realClock } from "#base/clock.ts";
import { startKubeApiServer } from "#kube-apiserver/server.ts";
import type { KubeApiServer, KubeApiServerOptions } from "#kube-apiserver/server-options.ts";
import { issueCertificate, type LeafRequest } from "#pki/certificate.ts";
import type { ClusterAssets } from "#pki/cluster-assets.ts";
import type { KVStore } from "#storage/kv.ts";
import { serverOptions } from "./server-options.ts";
import { openTestStore } from "./store.ts";

/** Whoever asks: a certificate, or a token, or nothing. */
export interface Caller {
  readonly agent: Agent;
  readonly pair?: { readonly cert: string; readonly key: string };
  readonly token?: string;
}

/** An answer, with its body read. */
export interface GuardedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
  readonly body: any;
  readonly text: string;
}

/** An API server alone, over HTTPS, with callers who have certificates of its authority. */
export class GuardedServer {
  readonly server: KubeApiServer;
  readonly assets: ClusterAssets;
  readonly admin: Caller;
  readonly #kv: KVStore;
  readonly #agents: Agent[] = [];

  private constructor(server: KubeApiServer, assets: ClusterAssets, kv: KVStore) {
    this.server = server;
    this.assets = assets;
    this.#kv = kv;
    this.admin = this.caller(assets.admin);
  }

  static async start(options: Partial<KubeApiServerOptions> = {}): Promise<GuardedServer> {
    const kv = await openTestStore();
    const usual = await serverOptions(kv);
    const server = await startKubeApiServer({ ...usual, ...options });
    await server.ready;
    return new GuardedServer(server, usual.assets, kv);
  }

  /** Who shows this certificate, or this token, or nothing. */
  caller(pair?: { readonly cert: string; readonly key: string }, token?: string): Caller {
    const agent = new Agent({ ca: this.assets.ca.cert, keepAlive: true, maxSockets: 8, ...pair });
    this.#agents.push(agent);
    return { agent, ...(pair && { pair }), ...(token !== undefined && { token }) };
  }

  /** A user by a client certificate of the cluster's authority. */
  user(commonName: string, organizations: readonly string[] = [], more: Partial<LeafRequest> = {}): Caller {
    const now = realClock.now();
    return this.caller(issueCertificate(this.assets.ca, { commonName, organizations, usages: ["client"], ...more }, now));
  }

  /** Lets a user do what a cluster role says, in one namespace. */
  async bind(user: string, clusterRole: string, namespace: string): Promise<void> {
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: clusterRole };
    const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }];
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`;
    const name = `${user}-${clusterRole}`;
    await this.made(path, { metadata: { name }, roleRef, subjects });
  }

  /** Makes an object as the administrator. */
  async made(path: string, object: object): Promise<GuardedAnswer["body"]> {
    const { status, body, text } = await this.ask(this.admin, "POST", path, object);
    if (status !== 201) throw new Error(`${path}: ${status} ${text}`);
    return body;
  }

  /** Sends a request over HTTP/1.1. A text or bytes go as they are; a PATCH with a list is a JSON patch, with an object a merge patch. */
  ask(
    who: Caller,
    method: string,
    path: string,
    body?: unknown,
    more: Readonly<Record<string, string>> = {},
  ): Promise<GuardedAnswer> {
    return new Promise((resolve, reject) => {
      const isRaw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
      const text = isRaw ? body : JSON.stringify(body);
      const patch = Array.isArray(body) ? "application/json-patch+json" : "application/merge-patch+json";
      const type = method === "PATCH" ? patch : "application/json";
      const headers = {
        ...(who.token === undefined ? {} : { authorization: `Bearer ${who.token}` }),
        ...(text === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(text) }),
        ...more,
      };
      const sent = request(`${this.server.url}${path}`, { method, agent: who.agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const answer = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed(answer), text: answer });
        });
      });
      sent.on("error", reject);
      sent.end(text);
    });
  }

  /** A TLS connection on which a test speaks what it likes. */
  connect(who: Caller, protocol: "h2" | "http/1.1"): Promise<TLSSocket> {
    const options = { host: "127.0.0.1", port: this.server.port, ca: this.assets.ca.cert, ALPNProtocols: [protocol] };
    return new Promise((resolve, reject) => {
      const socket = connect({ ...options, ...who.pair }, () => resolve(socket));
      socket.once("error", reject);
    });
  }

  async stop(): Promise<void> {
    await this.server.stop();
    for (const agent of this.#agents) agent.destroy();
    await this.#kv.close();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** All that a connection says until it ends, or until `holds` is content with it. */
export function heard(socket: Socket, holds: (text: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (holds(text)) resolve(text);
    });
    socket.once("close", () => resolve(text));
    socket.on("error", () => {});
  });
}
