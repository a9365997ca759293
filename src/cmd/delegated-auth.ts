import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { TokenReview } from "#api/generated/authentication/v1.ts";
import type { SubjectAccessReview } from "#api/generated/authorization/v1.ts";
import { peerIdentifier } from "#apiserver/authentication/peer-identity.ts";
import { ANONYMOUS } from "#apiserver/authentication/users.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";
import type { Client, ResourceId } from "#client/client.ts";

const TOKEN_REVIEWS: ResourceId = { group: "authentication.k8s.io", version: "v1", resource: "tokenreviews" };
const ACCESS_REVIEWS: ResourceId = { group: "authorization.k8s.io", version: "v1", resource: "subjectaccessreviews" };
const MASTERS = "system:masters";

/** Whom a program asks who somebody is, and what he may. */
export interface DelegatedAuthOptions {
  /** PEM authorities of client certificates. */
  readonly clientCas: readonly string[];
  /** Asked whose a token is; nobody's when absent. */
  readonly authentication?: Client | undefined;
  /** Asked who may see what; only members of `system:masters` may see anything when absent. */
  readonly authorization?: Client | undefined;
  readonly alwaysAllowPaths: readonly string[];
}

/** Why a request is refused. */
export interface Refusal {
  readonly code: 401 | 403 | 500;
  readonly message: string;
}

/** Judges requests to a program's own port as upstream's delegating authentication and authorization do. */
export class DelegatedAuth {
  readonly #options: DelegatedAuthOptions;
  #identify: ReturnType<typeof peerIdentifier>;

  constructor(options: DelegatedAuthOptions) {
    this.#options = options;
    this.#identify = identifierOf(options.clientCas);
  }

  /** From now on certificates of these authorities say who somebody is, and of no others. */
  useClientCas(clientCas: readonly string[]): void {
    this.#identify = identifierOf(clientCas);
  }

  /** Undefined when the request may be answered. */
  async refusal(request: IncomingMessage, path: string): Promise<Refusal | undefined> {
    if (this.#options.alwaysAllowPaths.some((pattern) => matches(pattern, path))) return undefined;
    try {
      const user = await this.#user(request);
      if (user === undefined) return { code: 401, message: "Unauthorized" };
      if (await this.#may(user, path, (request.method ?? "GET").toLowerCase())) return undefined;
      const verb = (request.method ?? "GET").toLowerCase();
      return { code: 403, message: `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}` };
    } catch (error) {
      return { code: 500, message: `Internal Server Error: ${(error as Error).message}` };
    }
  }

  async #user(request: IncomingMessage): Promise<UserInfo | undefined> {
    const socket = request.socket as TLSSocket;
    const certificate = socket.getPeerCertificate(true);
    if (certificate?.raw !== undefined) {
      const { user } = this.#identify(certificate, socket.authorized);
      if (user !== undefined) return user;
    }
    const [scheme = "", token = ""] = (request.headers.authorization ?? "").trim().split(" ");
    if (scheme.toLowerCase() !== "bearer" || token === "") return ANONYMOUS;
    if (this.#options.authentication === undefined) return undefined;
    const review = await this.#options.authentication.create<TokenReview>(TOKEN_REVIEWS, "", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenReview",
      spec: { token },
    } as unknown as TokenReview);
    const { authenticated = false, user } = review.status ?? {};
    if (!authenticated || user?.username === undefined) return undefined;
    return { name: user.username, uid: user.uid ?? "", groups: user.groups ?? [], extra: {} };
  }

  async #may(user: UserInfo, path: string, verb: string): Promise<boolean> {
    if (user.groups.includes(MASTERS)) return true;
    const review = await this.#options.authorization?.create<SubjectAccessReview>(ACCESS_REVIEWS, "", {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: { user: user.name, uid: user.uid, groups: [...user.groups], nonResourceAttributes: { path, verb } },
    } as unknown as SubjectAccessReview);
    return review?.status?.allowed === true;
  }
}

function identifierOf(clients: readonly string[]): ReturnType<typeof peerIdentifier> {
  return peerIdentifier({ clients, proxies: [], proxyNames: [] });
}

/** A path, or all that begin with what stands before a star. */
function matches(pattern: string, path: string): boolean {
  return pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}
