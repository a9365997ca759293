import { formatMicroTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";
import type { AuthorizationAttributes } from "../authorization/authorizer.ts";
import type { UserInfo } from "../request/request-info.ts";
import type { Exchange } from "../server/exchange.ts";
import type { AuditBackend, AuditEvent, AuditLevel, AuditStage, AuditUser } from "./audit-event.ts";
import { type LoggedObject, loggedObject } from "./logged-object.ts";
import type { AuditDecision } from "./policy.ts";
import { sourceAddresses } from "./source-addresses.ts";

/** Longest user agent that is written down, as upstream. */
const USER_AGENT_LENGTH_MAX = 1024;

/** Where a request comes from: an exchange, or a client in this process. */
export type AuditedSource = Pick<Exchange, "url" | "headers" | "remoteAddress">;

type Draft = { -readonly [K in keyof AuditEvent]: AuditEvent[K] };

/** What is written down of one request, stage by stage. */
export class AuditedRequest {
  readonly #decision: AuditDecision;
  readonly #backend: AuditBackend;
  readonly #clock: Clock;
  readonly #event: Omit<Draft, "stage" | "stageTimestamp">;
  #annotations: Record<string, string> | undefined;
  #isComplete = false;
  #stored: boolean | Promise<boolean> = true;

  constructor(
    modules: { readonly decision: AuditDecision; readonly backend: AuditBackend; readonly clock: Clock },
    request: {
      readonly exchange: AuditedSource;
      readonly auditId: string;
      readonly attributes: AuthorizationAttributes;
      readonly receivedAt: number;
    },
  ) {
    const { exchange, auditId, attributes, receivedAt } = request;
    this.#decision = modules.decision;
    this.#backend = modules.backend;
    this.#clock = modules.clock;
    const agent = exchange.headers["user-agent"];
    const addresses = sourceAddresses(exchange);
    this.#event = {
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: modules.decision.level,
      auditID: auditId,
      requestURI: exchange.url,
      verb: attributes.verb,
      user: auditUser(attributes.user),
      ...(addresses.length === 0 ? {} : { sourceIPs: addresses }),
      ...(typeof agent === "string" && agent !== "" ? { userAgent: shortened(agent) } : {}),
      ...(attributes.isResourceRequest ? { objectRef: objectReference(attributes) } : {}),
      requestReceivedTimestamp: formatMicroTime(receivedAt),
    };
  }

  /** Keys are the annotating component's; the first value of a key stays. */
  annotate(key: string, value: string): void {
    this.#annotations ??= {};
    this.#annotations[key] ??= value;
  }

  impersonated(user: UserInfo, constraint: string): void {
    this.#event.impersonatedUser = auditUser(user);
    if (constraint !== "") this.#event.authenticationMetadata = { impersonationConstraint: constraint };
  }

  /** The request has come; `stored` then says whether that is on record. */
  received(): void {
    this.#stored = this.#write("RequestReceived");
  }

  /** Whether it is on record that the request has come: one that is not must not go on. */
  get stored(): boolean | Promise<boolean> {
    return this.#stored;
  }

  /** What the client sent; without its content for requests whose level is lower. */
  requestBody(body: Uint8Array, contentType: string): void {
    if (body.byteLength === 0 || !this.#event.objectRef) return;
    const sent = loggedObject(body, contentType, this.#decision.omitManagedFields);
    if (sent === undefined) return;
    const { metadata } = sent.value as LoggedObject;
    const reference: Record<string, string> = { ...this.#event.objectRef };
    for (const field of ["namespace", "name", "uid", "resourceVersion"] as const) {
      const value = metadata?.[field];
      if (reference[field] === undefined && typeof value === "string" && value !== "") reference[field] = value;
    }
    this.#event.objectRef = reference;
    if (includes(this.#decision.level, "Request")) this.#event.requestObject = sent.value;
  }

  /** A long answer has begun. */
  started(code: number): void {
    this.#event.responseStatus = { metadata: {}, code };
    void this.#write("ResponseStarted");
  }

  /** The answer is there. Only the first call counts. Where writing it down takes time, the answer is to wait for it. */
  complete(code: number, body: () => string | Uint8Array | undefined, contentType = ""): Promise<unknown> | undefined {
    if (this.#isComplete) return undefined;
    this.#isComplete = true;
    const answer = this.#answer(code, body, contentType);
    const status = answer?.kind === "Status" ? statusOf(answer) : {};
    const isBodyTold = includes(this.#decision.level, "RequestResponse");
    this.#event.responseStatus = { metadata: {}, ...(isBodyTold ? status : withoutObject(status)), code };
    if (answer !== undefined && this.#event.objectRef && includes(this.#decision.level, "RequestResponse")) {
      this.#event.responseObject = answer;
    }
    const written = this.#write("ResponseComplete");
    return written instanceof Promise ? written : undefined;
  }

  /** Nobody let the request in: that is all there is to say. */
  refused(code: number, message: string): void {
    this.#isComplete = true;
    this.#event.responseStatus = { metadata: {}, message, code };
    void this.#write("ResponseStarted");
  }

  /** Answers are read only for those who want them, and failures for their reason. */
  #answer(code: number, body: () => string | Uint8Array | undefined, contentType: string): LoggedObject | undefined {
    if (code < 400 && !includes(this.#decision.level, "RequestResponse")) return undefined;
    const bytes = body();
    if (bytes === undefined) return undefined;
    return loggedObject(bytes, contentType, this.#decision.omitManagedFields)?.value as LoggedObject | undefined;
  }

  #write(stage: AuditStage): boolean | Promise<boolean> {
    if (this.#decision.omitStages.includes(stage)) return true;
    const stageTimestamp = formatMicroTime(this.#clock.now());
    const { kind, apiVersion, level, auditID, requestReceivedTimestamp, ...event } = this.#event;
    // In upstream's order, for those who read it by eye.
    const written = {
      kind,
      apiVersion,
      level,
      auditID,
      stage,
      ...event,
      requestReceivedTimestamp,
      stageTimestamp,
      ...(this.#annotations === undefined ? {} : { annotations: { ...this.#annotations } }),
    };
    return this.#backend.process([written]);
  }
}

/** What a patch would have made, whole, stands in the words of its refusal; a Secret, say. */
const TOLD_OBJECT = /( is invalid: patch: Invalid value): .*/s;

/** A failure in words that hold no object, for levels at which bodies are not written down. Upstream writes them as they are. */
function withoutObject(status: object): object {
  const { message } = status as { message?: unknown };
  if (typeof message !== "string" || !TOLD_OBJECT.test(message)) return status;
  const { details: _, ...rest } = status as { details?: unknown };
  return { ...rest, message: message.replace(TOLD_OBJECT, "$1") };
}

function includes(level: AuditLevel, wanted: "Request" | "RequestResponse"): boolean {
  return level === "RequestResponse" || level === wanted;
}

function auditUser({ name, uid, groups, extra }: UserInfo): AuditUser {
  return {
    ...(name === "" ? {} : { username: name }),
    ...(uid === "" ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

function objectReference(attributes: AuthorizationAttributes): Record<string, string> {
  const { resource, namespace, name, apiGroup, apiVersion, subresource } = attributes;
  const all = { resource, namespace, name, apiGroup, apiVersion, subresource };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

function statusOf(status: LoggedObject): object {
  const { kind: _, apiVersion: __, ...rest } = status;
  return rest;
}

function shortened(agent: string): string {
  return agent.length > USER_AGENT_LENGTH_MAX ? `${agent.slice(0, USER_AGENT_LENGTH_MAX)}...TRUNCATED` : agent;
}
