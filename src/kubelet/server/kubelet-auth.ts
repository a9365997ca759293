import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { TokenReview } from "#api/generated/authentication/v1.ts";
import type { SubjectAccessReview } from "#api/generated/authorization/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { ExpiringCache } from "./expiring-cache.ts";

/** Who asks a kubelet. */
export interface KubeletUser {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

const TOKEN_REVIEWS: ResourceId = { group: "authentication.k8s.io", version: "v1", resource: "tokenreviews" };
const ACCESS_REVIEWS: ResourceId = { group: "authorization.k8s.io", version: "v1", resource: "subjectaccessreviews" };
/** Upstream's defaults of `authentication.webhook` and `authorization.webhook`, in milliseconds. */
const TOKEN_TTL_MS: number = 2 * 60_000;
const ALLOWED_TTL_MS: number = 5 * 60_000;
const DENIED_TTL_MS = 30_000;
/** Answers that are remembered of each kind. */
const CACHE_ENTRIES_MAX = 4096;
const ALL_AUTHENTICATED = "system:authenticated";
const MASTERS = "system:masters";
const ANONYMOUS: KubeletUser = { name: "system:anonymous", uid: "", groups: ["system:unauthenticated"], extra: {} };

/** Options of {@link KubeletAuth}. */
export interface KubeletAuthOptions {
  /** Who says whose a token is, and who may what. Without it only certificates count, and only members of system:masters may. */
  readonly client: Client | undefined;
  readonly clock: Clock;
  /** Upstream's `--anonymous-auth`; off when absent, as kubeadm sets it. */
  readonly anonymousAuth?: boolean;
  /** Whether tokens are reviewed (`--authentication-token-webhook`); on when absent. */
  readonly tokens?: boolean;
  /** Upstream's `--authorization-mode=AlwaysAllow`; off when absent: the API server decides. */
  readonly alwaysAllow?: boolean;
  /**
   * Whether who asks from this machine itself, without saying who, counts as its administrator: for machines on which the API
   * server takes everybody's requests without TLS anyway.
   */
  readonly trustOwnMachine?: boolean;
  /** How long answers are remembered, in milliseconds. */
  readonly tokenTtlMs?: number;
  readonly allowedTtlMs?: number;
  readonly deniedTtlMs?: number;
}

/**
 * Who may ask kubelets what: client certificates of the cluster's authority, or tokens that the API server knows
 * (TokenReview); and the API server decides (SubjectAccessReview). Its answers are remembered for a while.
 */
export class KubeletAuth {
  readonly #options: KubeletAuthOptions;
  readonly #users: ExpiringCache<KubeletUser | "unknown">;
  readonly #decisions: ExpiringCache<boolean>;

  constructor(options: KubeletAuthOptions) {
    this.#options = options;
    this.#users = new ExpiringCache(options.clock, CACHE_ENTRIES_MAX);
    this.#decisions = new ExpiringCache(options.clock, CACHE_ENTRIES_MAX);
  }

  /** Undefined for who cannot say who they are. */
  async authenticate(request: IncomingMessage): Promise<KubeletUser | undefined> {
    const { anonymousAuth, tokens = true, trustOwnMachine } = this.#options;
    const holder = certificateHolder(request.socket as Partial<TLSSocket>);
    if (holder !== undefined) return holder;
    const [, token = ""] = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    if (token !== "" && tokens) return this.#reviewToken(token);
    if (trustOwnMachine === true && isFromHere(request)) return OWN_MACHINE;
    return anonymousAuth === true ? ANONYMOUS : undefined;
  }

  /** Rejects when the API server does not decide. */
  async isAllowed(user: KubeletUser, verb: string, nodeName: string, subresource: string): Promise<boolean> {
    const { name, uid, groups, extra } = user;
    const { client, alwaysAllow, allowedTtlMs = ALLOWED_TTL_MS, deniedTtlMs = DENIED_TTL_MS } = this.#options;
    if (alwaysAllow === true || user === OWN_MACHINE) return true;
    if (client === undefined) return groups.includes(MASTERS);
    const spec = {
      user: name,
      groups,
      uid,
      extra,
      resourceAttributes: { verb, group: "", version: "v1", resource: "nodes", subresource, name: nodeName },
    };
    const key = JSON.stringify(spec);
    const known = this.#decisions.get(key);
    if (known !== undefined) return known;
    const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", metadata: {}, spec };
    const { status } = await client.create(ACCESS_REVIEWS, "", review as unknown as SubjectAccessReview);
    const allowed = status?.allowed === true;
    this.#decisions.set(key, allowed, allowed ? allowedTtlMs : deniedTtlMs);
    return allowed;
  }

  async #reviewToken(token: string): Promise<KubeletUser | undefined> {
    const { client, tokenTtlMs = TOKEN_TTL_MS } = this.#options;
    if (client === undefined) return undefined;
    // The cache holds no secrets.
    const key = createHash("sha256").update(token).digest("base64");
    const known = this.#users.get(key);
    if (known !== undefined) return known === "unknown" ? undefined : known;
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", metadata: {}, spec: { token } };
    const { status } = await client.create(TOKEN_REVIEWS, "", review as unknown as TokenReview);
    const { username = "", uid = "", groups = [], extra = {} } = status?.user ?? {};
    const user = status?.authenticated === true ? { name: username, uid, groups, extra } : undefined;
    this.#users.set(key, user ?? "unknown", tokenTtlMs);
    return user;
  }
}

/** Who asks from the machine itself, where that is enough. */
const OWN_MACHINE: KubeletUser = { name: "system:kubelet-own-machine", uid: "", groups: [MASTERS, ALL_AUTHENTICATED], extra: {} };

/** From an address of this machine to the same: the kernel lets nobody else in with that. */
function isFromHere({ socket }: IncomingMessage): boolean {
  const { remoteAddress, localAddress } = socket;
  return remoteAddress !== undefined && remoteAddress === localAddress;
}

/** The subject of a certificate that the cluster's authority signed for clients. */
function certificateHolder(socket: Partial<TLSSocket>): KubeletUser | undefined {
  if (socket.authorized !== true) return undefined;
  const subject = socket.getPeerCertificate?.().subject as { CN?: string; O?: string | string[] } | undefined;
  if (subject?.CN === undefined) return undefined;
  return { name: subject.CN, uid: "", groups: [...[subject.O ?? []].flat(), ALL_AUTHENTICATED], extra: {} };
}
