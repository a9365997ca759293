import type { Clock } from "#base/clock.ts";
import { type AuthorizationAttributes, attributesOf } from "../authorization/authorizer.ts";
import type { RequestInfo } from "../request/request-info.ts";
import type { Exchange } from "../server/exchange.ts";
import type { AuditBackend } from "./audit-event.ts";
import { AuditedRequest, type AuditedSource } from "./audited-request.ts";
import type { AuditPolicy } from "./policy.ts";

/** Writes down who does what. A server without audit has none of these. */
export class Auditor {
  readonly #policy: AuditPolicy;
  readonly #backend: AuditBackend;
  readonly #clock: Clock;

  constructor(modules: { readonly policy: AuditPolicy; readonly backend: AuditBackend; readonly clock: Clock }) {
    this.#policy = modules.policy;
    this.#backend = modules.backend;
    this.#clock = modules.clock;
  }

  /** Begins with a request whose user is known; undefined when nothing of it is written down. */
  begin(
    exchange: AuditedSource,
    auditId: string,
    attributes: AuthorizationAttributes,
    receivedAt: number,
  ): AuditedRequest | undefined {
    const audited = this.#audited(exchange, auditId, attributes, receivedAt);
    audited?.received();
    return audited;
  }

  /** A request whose credentials were not good. */
  refused(exchange: Exchange, auditId: string, info: RequestInfo, receivedAt: number, code: number): void {
    const attributes = attributesOf({ name: "", uid: "", groups: [], extra: {} }, info);
    this.#audited(exchange, auditId, attributes, receivedAt)?.refused(code, attempted(exchange));
  }

  /** Resolves when everything is written. */
  stop(): Promise<void> {
    return this.#backend.stop();
  }

  #audited(
    exchange: AuditedSource,
    auditId: string,
    attributes: AuthorizationAttributes,
    receivedAt: number,
  ): AuditedRequest | undefined {
    const decision = this.#policy(attributes);
    if (decision.level === "None") return undefined;
    const modules = { decision, backend: this.#backend, clock: this.#clock };
    return new AuditedRequest(modules, { exchange, auditId, attributes, receivedAt });
  }
}

function attempted({ headers, peer }: Exchange): string {
  const [scheme = "", token = ""] = String(headers.authorization ?? "")
    .trim()
    .split(" ");
  const methods: string[] = [];
  if (scheme.toLowerCase() === "basic") methods.push("basic");
  if (scheme.toLowerCase() === "bearer" && token !== "") methods.push("bearer");
  if (peer !== undefined) methods.push("x509");
  if (methods.length === 0) return "Authentication failed, no credentials provided";
  return `Authentication failed, attempted: ${methods.join(", ")}`;
}
