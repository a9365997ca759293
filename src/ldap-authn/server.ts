import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Logger } from "#component-base/logging.ts";
import { type Authenticator, readPair } from "./authenticator.ts";
import type { Directory } from "./directory.ts";
import { DirectoryUnavailable } from "./directory-options.ts";
import { readReview, writeReview } from "./token-review.ts";

/** A TokenReview is a token and a few names. */
const BODY_BYTES_MAX = 64 * 1024;
/** Questions at a time; who comes then is asked to come again. */
const IN_FLIGHT_MAX = 128;
const CONNECTIONS_MAX = 1024;
const REQUEST_TIMEOUT_MS = 15_000;

/** What a server shows, and whom it trusts. All PEM. */
export interface ServingCertificate {
  readonly cert: string;
  readonly key: string;
  /** Authorities of clients' certificates; without them anybody who reaches the port may ask. */
  readonly clientCa: string | undefined;
}

/** Options of {@link LdapAuthnServer}. */
export interface LdapAuthnServerOptions {
  readonly bindAddress: string;
  readonly port: number;
  /** Names that clients' certificates may have; empty for any. */
  readonly allowedNames: readonly string[];
}

interface Modules {
  readonly authenticator: Authenticator;
  readonly directory: Pick<Directory, "probe">;
  readonly logger: Logger;
}

/** Answers an API server's TokenReviews, and gives tokens to people. */
export class LdapAuthnServer {
  readonly #options: LdapAuthnServerOptions;
  readonly #modules: Modules;
  readonly #server: Server;
  #wantsCertificates: boolean;
  #inFlight = 0;

  constructor(options: LdapAuthnServerOptions, certificate: ServingCertificate, modules: Modules) {
    this.#options = options;
    this.#modules = modules;
    this.#wantsCertificates = certificate.clientCa !== undefined;
    this.#server = createServer(
      {
        ...tlsMaterial(certificate),
        minVersion: "TLSv1.2",
        // Asked of all, required by the paths that need it: people and probes have none.
        requestCert: this.#wantsCertificates,
        rejectUnauthorized: false,
        requestTimeout: REQUEST_TIMEOUT_MS,
        headersTimeout: REQUEST_TIMEOUT_MS,
      },
      (request, response) => void this.#handle(request, response),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  async listen(): Promise<void> {
    const { port, bindAddress } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, bindAddress, () => {
        this.#server.removeListener("error", reject);
        resolve();
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Shows another certificate to who connects next. */
  useCertificate(certificate: ServingCertificate): void {
    this.#server.setSecureContext(tlsMaterial(certificate));
  }

  /** Lets questions that are being answered end. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on("error", () => {});
    if (this.#inFlight >= IN_FLIGHT_MAX) {
      response.setHeader("retry-after", "1");
      sendText(response, 429, "too many questions at a time");
      return;
    }
    this.#inFlight++;
    try {
      await this.#route(request, response);
    } catch (error) {
      this.#modules.logger.error({ err: error }, "a request could not be answered");
      if (!response.headersSent) sendText(response, 500, "the request could not be answered");
    } finally {
      this.#inFlight--;
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    switch (`${request.method} ${path}`) {
      case "GET /healthz":
      case "GET /livez":
        return sendText(response, 200, "ok");
      case "GET /readyz":
        return this.#ready(response);
      case "POST /authenticate":
      case "POST /":
        return this.#authenticate(request, response);
      case "GET /ldapAuth":
        return this.#logIn(request, response);
      default:
        return sendText(response, 404, "there are POST /authenticate, GET /ldapAuth, /healthz, /livez and /readyz");
    }
  }

  async #ready(response: ServerResponse): Promise<void> {
    try {
      await this.#modules.directory.probe();
      sendText(response, 200, "ok");
    } catch (error) {
      this.#modules.logger.warn({ err: error }, "the directory cannot be asked");
      sendText(response, 503, "the directory cannot be asked");
    }
  }

  async #authenticate(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = this.#clientProblem(request.socket as TLSSocket);
    if (refusal !== undefined) return sendText(response, 401, refusal);
    const body = await readBody(request);
    if (body === undefined) return sendText(response, 413, `a review has at most ${BODY_BYTES_MAX} bytes`);
    const review = readReview(body);
    if ("problem" in review) return sendText(response, 400, review.problem);
    try {
      const user = await this.#modules.authenticator.review(review.token);
      this.#modules.logger.debug({ user: user?.name }, user === undefined ? "a token is nobody's" : "a token is known");
      sendJson(response, writeReview(review.apiVersion, { user }));
    } catch (error) {
      if (!(error instanceof DirectoryUnavailable)) throw error;
      this.#modules.logger.warn({ err: error }, "the directory cannot be asked");
      sendJson(response, writeReview(review.apiVersion, { error: "the directory cannot be asked" }));
    }
  }

  async #logIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("cache-control", "no-store");
    const pair = readPair(/^basic +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "");
    try {
      const token = pair && (await this.#modules.authenticator.logIn(pair.name, pair.password));
      if (token !== undefined) return sendText(response, 200, token);
      response.setHeader("www-authenticate", 'Basic realm="kubernetes", charset="UTF-8"');
      sendText(response, 401, "name and password are not right");
    } catch (error) {
      if (!(error instanceof DirectoryUnavailable)) throw error;
      this.#modules.logger.warn({ err: error }, "the directory cannot be asked");
      sendText(response, 503, "the directory cannot be asked");
    }
  }

  #clientProblem(socket: TLSSocket): string | undefined {
    if (!this.#wantsCertificates) return undefined;
    if (!socket.authorized) return "a client certificate is needed that the authority signed";
    const { allowedNames } = this.#options;
    const name = socket.getPeerCertificate().subject?.CN;
    const isAllowed = allowedNames.length === 0 || (typeof name === "string" && allowedNames.includes(name));
    return isAllowed ? undefined : "the client certificate has a name that may not ask";
  }
}

function tlsMaterial({ cert, key, clientCa }: ServingCertificate): { cert: string; key: string; ca?: string } {
  return { cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }) };
}

/** Undefined when it is too long; the rest of it is not read. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" });
  // A token is used as it comes, by `$(curl ...)` among others.
  response.end(text);
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}
