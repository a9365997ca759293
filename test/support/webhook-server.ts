import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { realClock } from "#base/clock.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";

/** An AdmissionReview as a webhook gets it. */
export interface Review {
  readonly apiVersion: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was sent.
  readonly request: any;
}

/** Who called, by what it showed. */
export interface Caller {
  readonly commonName?: string;
  readonly authorization?: string;
}

/** What a webhook answers: parts of an AdmissionResponse, a whole body, an HTTP status, or nothing at all. */
export type Answer =
  | {
      readonly allowed?: boolean;
      readonly status?: object;
      readonly patch?: readonly object[];
      readonly warnings?: readonly string[];
      readonly auditAnnotations?: Readonly<Record<string, string>>;
      readonly uid?: string;
    }
  | { readonly http: number; readonly body: string }
  | { readonly body: string }
  | "silence";

/** A real HTTPS server whose paths are webhooks. */
export class WebhookServer {
  readonly #answers = new Map<string, (review: Review) => Answer>();
  readonly #redirects = new Map<string, string>();
  readonly calls: { readonly path: string; readonly query: string; readonly review: Review; readonly caller: Caller }[] = [];
  readonly #server: Server;
  /** Base64 of PEM. */
  readonly caBundle: string;

  private constructor(server: Server, caBundle: string) {
    this.#server = server;
    this.caBundle = caBundle;
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const [path = "", query = ""] = (request.url ?? "").split("?");
        const review = JSON.parse(Buffer.concat(chunks).toString()) as Review;
        const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject ?? {};
        const { authorization } = request.headers;
        const caller = { ...(CN && { commonName: String(CN) }), ...(authorization && { authorization }) };
        this.calls.push({ path, query, review, caller });
        const location = this.#redirects.get(path);
        if (location !== undefined) return void response.writeHead(307, { location }).end(`see ${location}`);
        const answer = this.#answers.get(path)?.(review) ?? { allowed: true };
        if (answer === "silence") return;
        if ("body" in answer) {
          response.writeHead("http" in answer ? answer.http : 200, { "content-type": "application/json" }).end(answer.body);
          return;
        }
        const { patch, ...rest } = answer;
        const encoded =
          patch === undefined ? {} : { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") };
        const body = {
          kind: "AdmissionReview",
          apiVersion: review.apiVersion,
          response: { uid: review.request.uid, allowed: true, ...rest, ...encoded },
        };
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
      });
    });
  }

  /** Listens on a free port of this machine. `hosts` are the names in its certificate. */
  static async start(hosts: readonly string[] = ["127.0.0.1", "localhost"]): Promise<WebhookServer> {
    const now = realClock.now();
    const ca = createAuthority("webhook-ca", now);
    const leaf = issueCertificate(ca, { commonName: "webhook", organizations: [], usages: ["server"], hosts }, now);
    const server = createServer({ cert: leaf.cert, key: leaf.key, requestCert: true, rejectUnauthorized: false });
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
    return new WebhookServer(server, Buffer.from(ca.cert).toString("base64"));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path: string): string {
    return `https://127.0.0.1:${this.port}${path}`;
  }

  /** From now on the path answers so. */
  on(path: string, answer: (review: Review) => Answer): void {
    this.#answers.set(path, answer);
  }

  /** From now on the path sends who asks elsewhere. */
  redirect(path: string, location: string): void {
    this.#redirects.set(path, location);
  }

  callsOf(path: string): readonly Review[] {
    return this.calls.filter((call) => call.path === path).map(({ review }) => review);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
