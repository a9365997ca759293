import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { realClock } from "#base/clock.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was sent.
type Sent = any;

/** What a conversion webhook does with a review: objects, a whole answer, or nothing. */
export type Conversion = (review: Sent) => readonly object[] | { readonly body: object } | "silence";

/** A real HTTPS server whose paths are conversion webhooks. */
export class ConversionServer {
  readonly #conversions = new Map<string, Conversion>();
  readonly reviews: { readonly path: string; readonly review: Sent }[] = [];
  readonly #server: Server;
  /** Base64 of PEM. */
  readonly caBundle: string;
  /** Answers are held back so long. */
  delayMs = 0;

  private constructor(server: Server, caBundle: string) {
    this.#server = server;
    this.caBundle = caBundle;
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const path = (request.url ?? "").split("?")[0] ?? "";
        const review = JSON.parse(Buffer.concat(chunks).toString());
        this.reviews.push({ path, review });
        const made = this.#conversions.get(path)?.(review) ?? [];
        if (made === "silence") return;
        const body =
          "body" in made
            ? made.body
            : {
                kind: review.kind,
                apiVersion: review.apiVersion,
                response: { uid: review.request.uid, convertedObjects: made, result: { status: "Success" } },
              };
        const send = (): void => void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
        if (this.delayMs === 0) send();
        else realClock.setTimeout(send, this.delayMs);
      });
    });
  }

  static async start(): Promise<ConversionServer> {
    const now = realClock.now();
    const ca = createAuthority("conversion-ca", now);
    const hosts = ["127.0.0.1", "localhost"];
    const leaf = issueCertificate(ca, { commonName: "conversion", organizations: [], usages: ["server"], hosts }, now);
    const server = createServer({ cert: leaf.cert, key: leaf.key });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new ConversionServer(server, Buffer.from(ca.cert).toString("base64"));
  }

  url(path: string): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  /** From now on the path converts so. */
  on(path: string, conversion: Conversion): void {
    this.#conversions.set(path, conversion);
  }

  /** Reviews that the path got since the last time this was asked. */
  take(path: string): Sent[] {
    const taken = this.reviews.filter((each) => each.path === path);
    for (const each of taken) this.reviews.splice(this.reviews.indexOf(each), 1);
    return taken.map(({ review }) => review);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
