import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { realClock } from "#base/clock.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";

/** What a path answers: a value for JSON, or a text as it is; undefined for 404. */
type Answer = (body: unknown) => unknown;

/** A real HTTPS server of this machine that answers JSON: an OpenID provider, or a webhook. */
export class JsonServer {
  readonly #server: Server;
  readonly #answers = new Map<string, Answer>();
  readonly calls: { readonly path: string; readonly body: unknown; readonly authorization: string | undefined }[] = [];
  /** PEM. */
  readonly ca: string;

  private constructor(server: Server, ca: string) {
    this.#server = server;
    this.ca = ca;
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const path = request.url ?? "";
        const text = Buffer.concat(chunks).toString();
        const body: unknown = text === "" ? undefined : JSON.parse(text);
        this.calls.push({ path, body, authorization: request.headers.authorization });
        const answer = this.#answers.get(path)?.(body);
        response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
        response.end(typeof answer === "string" ? answer : JSON.stringify(answer ?? {}));
      });
    });
  }

  static async start(): Promise<JsonServer> {
    const now = realClock.now();
    const ca = createAuthority("json-server-ca", now);
    const leaf = issueCertificate(ca, { commonName: "server", usages: ["server"], hosts: ["127.0.0.1"] }, now);
    const server = createServer({ cert: leaf.cert, key: leaf.key });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new JsonServer(server, ca.cert);
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on the path answers so. */
  on(path: string, answer: Answer): void {
    this.#answers.set(path, answer);
  }

  bodiesOf(path: string): unknown[] {
    return this.calls.filter((call) => call.path === path).map(({ body }) => body);
  }

  /** A kubeconfig that leads to a path. */
  kubeconfig(path: string, token: string): string {
    return JSON.stringify({
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "s", user: "u" } }],
      clusters: [
        {
          name: "s",
          cluster: { server: `${this.url}${path}`, "certificate-authority-data": Buffer.from(this.ca).toString("base64") },
        },
      ],
      users: [{ name: "u", user: { token } }],
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
