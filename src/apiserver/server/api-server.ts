import { setMaxListeners } from "node:events";
import { badRequest, internalError, requestEntityTooLarge, timeout, tooManyRequests } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { Clock, Timer } from "#base/clock.ts";
import { noteDefect } from "#base/defect.ts";
import type { Random } from "#base/random.ts";
import type { Logger } from "#component-base/logging.ts";
import type { AuditedRequest } from "../audit/audited-request.ts";
import type { Auditor } from "../audit/auditor.ts";
import type { Authenticator } from "../authentication/authenticator.ts";
import { authorizeImpersonation, requestedImpersonation } from "../authentication/impersonation.ts";
import { type Authorizer, attributesOf, forbiddenError } from "../authorization/authorizer.ts";
import { statusFormat } from "../endpoints/handlers/negotiation.ts";
import { statusResponse } from "../endpoints/handlers/representation.ts";
import { type ApiResponse, type HandleResourceRequest, isResponseStream } from "../endpoints/response.ts";
import type { FlowControl, Place } from "../flowcontrol/flow-control.ts";
import { RequestMetrics } from "../metrics/request-metrics.ts";
import { plainInternalError, plainText, statusAnswer } from "../non-resource/answers.ts";
import type { NonResourceRoute } from "../non-resource/route.ts";
import { storageFailure } from "../registry/store/storage-failure.ts";
import type { RequestInfo, UserInfo } from "../request/request-info.ts";
import { resolveRequestInfo, UnresolvedPathError } from "../request/resolve-request-info.ts";
import type { Exchange } from "./exchange.ts";
import { InFlight, type Pending } from "./in-flight.ts";
import { DRAIN_TIMEOUT_MS, REQUEST_BODY_BYTES_MAX, REQUESTS_IN_FLIGHT_MAX } from "./limits.ts";
import { HttpResourceRequest } from "./request-context.ts";
import { isConnection, isLongRunning, requestTimeoutMs } from "./request-timeout.ts";
import { sendResponse } from "./send-response.ts";
import { DEFAULT_SERVING, type ServingOptions } from "./serving-options.ts";

/** What the handler chain is made of. */
export interface ApiServerModules {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default: as upstream. */
  readonly serving?: ServingOptions;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** Absent: nothing is written down. */
  readonly auditor?: Auditor | undefined;
  /** Requests for resources, authorized. */
  readonly resources: HandleResourceRequest;
  /** Whether a resource path leads to something that is served; others go to `nonResources`. */
  readonly servesGroup: (group: string) => boolean;
  /** Waited for by requests to a group, or to what tells of all groups (undefined): resources that are about to be served. */
  readonly pendingResources?: (group: string | undefined) => Promise<void> | undefined;
  /** Waited for by requests for resources: what the first one may ask for is being made. */
  readonly beginning?: () => Promise<void> | undefined;
  /** Who is served when more ask than can be. */
  readonly flowControl?: FlowControl;
  /** Answers what other servers serve; undefined for what this one does. */
  readonly delegate?: (exchange: Exchange, info: RequestInfo, user: UserInfo) => Promise<ApiResponse> | undefined;
  /** Everything else: discovery, health, metrics, OpenAPI, and what is not there. */
  readonly nonResources: NonResourceRoute;
}

const EMPTY = new Uint8Array(0);

/**
 * The handler chain: who asks, as whom, whether they may, and the answer. Failures become Status answers;
 * what is no StatusError is a bug of the server: it is logged and answered 500.
 */
export class ApiServer {
  readonly metrics: RequestMetrics;
  readonly #modules: ApiServerModules;
  readonly #serving: ServingOptions;
  readonly #inFlight: InFlight;
  #isLeaving = false;
  readonly #stopping = new AbortController();

  constructor(modules: ApiServerModules) {
    // Each watch listens to it.
    setMaxListeners(0, this.#stopping.signal);
    this.#modules = modules;
    this.#serving = modules.serving ?? DEFAULT_SERVING;
    this.#inFlight = new InFlight(modules.clock, this.#serving.requestTimeoutMs);
    this.metrics = new RequestMetrics(() => this.#inFlight.counts);
  }

  /** Answers one request. */
  handle(exchange: Exchange): void {
    void this.#serve(exchange);
  }

  /** Tells new requests to come again later, elsewhere (upstream's `WithRetryAfter`), but those for health and metrics. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Ends all watches and waits for the requests in progress. */
  async drain(): Promise<void> {
    this.#stopping.abort(new Error("the server is stopping"));
    await this.#inFlight.drain(DRAIN_TIMEOUT_MS);
  }

  async #serve(exchange: Exchange): Promise<void> {
    const { clock, random } = this.#modules;
    const startedAt = clock.now();
    const beganMs = clock.elapsed();
    const sentId = exchange.headers["audit-id"];
    const auditId = typeof sentId === "string" && sentId !== "" ? sentId : random.uuid();
    const warnings: string[] = [];
    const held: Held = { place: undefined, auditId, startedAt, audited: undefined };
    let info: RequestInfo | undefined;
    let pending: Pending | undefined;
    let ownTimer: Timer | undefined;
    const { requestTimeoutMs: timeoutMax, goawayChance } = this.#serving;
    if (goawayChance > 0 && exchange.isMultiplexed && random.float() < goawayChance) exchange.endConnection();
    try {
      const target = parseTarget(exchange.url);
      const resolved = resolveRequestInfo(exchange.method, target.path, target.query);
      info = resolved;
      if (!isLongRunning(resolved)) {
        const timeoutMs = target.query === undefined ? timeoutMax : requestTimeoutMs(target.query, timeoutMax);
        if (this.#inFlight.size >= REQUESTS_IN_FLIGHT_MAX) throw tooManyRequests("Too many requests, please try again later.", 1);
        const expire = (): void => {
          // As upstream: an answer that has been begun is not taken back, but ends.
          if (exchange.finished) {
            exchange.abort();
            return;
          }
          const answer = statusAnswer(TIMED_OUT);
          if (held.audited !== undefined) void completeAudit(held.audited, exchange, answer);
          void sendResponse(exchange, this.#secured(answer), auditId, []);
        };
        pending = { beganMs, mutating: exchange.method !== "GET" && exchange.method !== "HEAD", expire };
        this.#inFlight.add(pending);
        if (timeoutMs < timeoutMax) ownTimer = clock.setTimeout(expire, timeoutMs, { unref: true });
      }
      const response = await this.#answer(exchange, resolved, target.query ?? new URLSearchParams(), warnings, held);
      // What was answered is written down before the client knows of it.
      const recording = held.audited && completeAudit(held.audited, exchange, response);
      if (recording !== undefined) await recording;
      const sending = response.takenOver
        ? undefined
        : sendResponse(exchange, this.#secured(response), auditId, warnings, held.place);
      if (sending !== undefined) await sending;
      this.metrics.record(resolved, response.status, clock.elapsed() - beganMs);
    } catch (error) {
      const answer =
        error instanceof UnresolvedPathError
          ? plainInternalError(exchange.url, `failed to create RequestInfo: ${error.message}, ${exchange.url}`)
          : statusResponse(this.#toStatus(error, exchange).status, statusFormat(acceptOf(exchange)));
      const recording = held.audited && completeAudit(held.audited, exchange, answer);
      if (recording !== undefined) await recording;
      await sendResponse(exchange, this.#secured(answer), auditId, warnings, held.place);
      if (info) this.metrics.record(info, answer.status, clock.elapsed() - beganMs);
    } finally {
      held.place?.ticket?.release();
      ownTimer?.clear();
      if (pending) this.#inFlight.remove(pending);
    }
  }

  async #answer(
    exchange: Exchange,
    info: RequestInfo,
    query: URLSearchParams,
    warnings: string[],
    held: Held,
  ): Promise<ApiResponse> {
    const { authorizer, auditor, resources, servesGroup, nonResources, flowControl } = this.#modules;
    if (this.#isLeaving && !isServedToTheEnd(info, exchange)) {
      exchange.endConnection();
      return LEAVING;
    }
    const authenticated = this.#authenticate(exchange, info, held);
    let user: UserInfo = authenticated instanceof Promise ? await authenticated : authenticated;
    const fieldSelector = info.isResourceRequest ? (query.get("fieldSelector") ?? undefined) : undefined;
    const labelSelector = info.isResourceRequest ? (query.get("labelSelector") ?? undefined) : undefined;
    let attributes = attributesOf(user, info, fieldSelector, labelSelector);
    const audited = auditor?.begin(exchange, held.auditId, attributes, held.startedAt);
    held.audited = audited;
    const stored = audited?.stored ?? true;
    if (!(stored instanceof Promise ? await stored : stored)) {
      return plainInternalError(exchange.url, "failed to store audit event");
    }
    const wanted = requestedImpersonation(exchange);
    if (wanted !== undefined) {
      const impersonated = await authorizeImpersonation(wanted, attributes, authorizer);
      user = impersonated.user;
      attributes = attributesOf(user, info, fieldSelector, labelSelector);
      audited?.impersonated(user, impersonated.constraint);
    }
    if (flowControl !== undefined && (info.verb === "watch" || !isLongRunning(info))) {
      const timeoutMs = requestTimeoutMs(query, this.#serving.requestTimeoutMs);
      const place = flowControl.admit({ user, info, query, timeoutMs, onClose: (callback) => exchange.onClose(callback) });
      held.place = place instanceof Promise ? await place : place;
      if (held.place.ticket === undefined) return refused(held.place);
    }
    const answer = authorizer.authorize(attributes);
    const { decision, reason, error } = answer instanceof Promise ? await answer : answer;
    audited?.annotate("authorization.k8s.io/decision", decision === "allow" ? "allow" : "forbid");
    audited?.annotate("authorization.k8s.io/reason", decision !== "allow" && error !== undefined ? "internal error" : reason);
    if (decision !== "allow") {
      if (error === undefined) throw forbiddenError(attributes, reason);
      return plainInternalError(exchange.url, error);
    }
    const pending = this.#pendingResources(info.path);
    if (pending !== undefined) await pending;
    const delegated = this.#modules.delegate?.(exchange, info, user);
    if (delegated !== undefined) return delegated;
    const isResource =
      info.isResourceRequest &&
      info.verb !== "proxy" &&
      (info.path.startsWith("/api/") || (info.path.startsWith("/apis/") && info.apiGroup !== "" && servesGroup(info.apiGroup)));
    if (!isResource) {
      return nonResources({
        method: exchange.method,
        path: info.path,
        query,
        headers: exchange.headers,
        accept: acceptOf(exchange),
        user,
      });
    }
    const beginning = this.#modules.beginning?.();
    if (beginning !== undefined) await beginning;
    const isBodyless = exchange.method === "GET" || exchange.method === "HEAD" || isConnection(info);
    const body = isBodyless ? EMPTY : await exchange.readBody(REQUEST_BODY_BYTES_MAX);
    if (body === undefined) throw requestEntityTooLarge(`limit is ${REQUEST_BODY_BYTES_MAX}`);
    if (audited !== undefined) audited.requestBody(body, String(exchange.headers["content-type"] ?? ""));
    const annotate = audited === undefined ? undefined : (key: string, value: string): void => audited.annotate(key, value);
    const stopping = this.#stopping.signal;
    if (info.verb === "watch") this.#limitWatch(query);
    // Awaited here: to hand a promise on takes the event loop three steps instead of one.
    return await resources(new HttpResourceRequest(exchange, { user, info, query, body, stopping, warnings, annotate }));
  }

  /** Gives a watch whose client names no time the one that the server is told of; upstream's is the watch's own default. */
  #limitWatch(query: URLSearchParams): void {
    const seconds = this.#serving.minRequestTimeoutSeconds;
    if (seconds === DEFAULT_SERVING.minRequestTimeoutSeconds || query.has("timeoutSeconds")) return;
    const life = seconds === 0 ? WATCH_SECONDS_MAX : Math.floor(seconds * (1 + this.#modules.random.float()));
    query.set("timeoutSeconds", String(life));
  }

  /** With the header that tells browsers to speak TLS only. */
  #secured(answer: ApiResponse): ApiResponse {
    const value = this.#serving.strictTransportSecurity;
    return value === "" ? answer : { ...answer, headers: { "strict-transport-security": value, ...answer.headers } };
  }

  #pendingResources(path: string): Promise<void> | undefined {
    if (path.startsWith("/openapi/")) return this.#modules.pendingResources?.(undefined);
    if (!path.startsWith("/apis")) return undefined;
    return this.#modules.pendingResources?.(path.split("/", 3)[2] || undefined);
  }

  #authenticate(exchange: Exchange, info: RequestInfo, held: Held): UserInfo | Promise<UserInfo> {
    const { authenticator, auditor } = this.#modules;
    if (auditor === undefined) return authenticator.authenticate(exchange, info.path);
    const refuse = (error: unknown): never => {
      const code = error instanceof StatusError ? (error.status.code ?? 500) : 500;
      auditor.refused(exchange, held.auditId, info, held.startedAt, code);
      throw error;
    };
    try {
      const answer = authenticator.authenticate(exchange, info.path);
      return answer instanceof Promise ? answer.catch(refuse) : answer;
    } catch (error) {
      return refuse(error);
    }
  }

  #toStatus(error: unknown, exchange: Exchange): StatusError {
    if (error instanceof StatusError) return error;
    noteDefect(`${exchange.method} ${exchange.url}`, error);
    this.#modules.logger.error({ err: error, method: exchange.method, url: exchange.url }, "request failed");
    const known = storageFailure(error);
    if (known instanceof StatusError) return known;
    return internalError(error instanceof Error ? error.message : String(error));
  }
}

/** What a request has been given on its way through the chain. */
interface Held {
  /** Has to be given back. */
  place: Place | undefined;
  readonly auditId: string;
  readonly startedAt: number;
  /** Set when something of the request is written down. */
  audited: AuditedRequest | undefined;
}

function completeAudit(
  audited: AuditedRequest,
  exchange: Exchange,
  { status, headers, body, takenOver }: ApiResponse,
): Promise<unknown> | undefined {
  if (takenOver || isResponseStream(body)) {
    audited.started(status);
    exchange.onClose(() => void audited.complete(status, () => undefined));
    return undefined;
  }
  const whole = (): string | Uint8Array => (typeof body === "string" || body instanceof Uint8Array ? body : Buffer.concat(body));
  return audited.complete(status, whole, headers["content-type"] ?? "");
}

function refused({ retryAfter }: Place): ApiResponse {
  const headers = { "retry-after": String(retryAfter), "x-content-type-options": "nosniff" };
  return plainText(429, "Too many requests, please try again later.\n", headers);
}

/** For ever, as far as timers go. */
const WATCH_SECONDS_MAX = 2_000_000;

/** What upstream's `WithRetryAfter` answers. */
const LEAVING: ApiResponse = plainText(429, "The apiserver is shutting down, please try again later.\n", {
  "retry-after": "5",
  "x-content-type-options": "nosniff",
});
const SERVED_TO_THE_END = ["/readyz", "/livez", "/healthz", "/metrics"];

function isServedToTheEnd({ path }: RequestInfo, { headers }: Exchange): boolean {
  const agent = headers["user-agent"];
  return (
    SERVED_TO_THE_END.some((prefix) => path.startsWith(prefix)) ||
    (typeof agent === "string" && agent.startsWith("kube-apiserver/"))
  );
}

const TIMED_OUT = timeout("request did not complete within the allotted timeout");

function acceptOf({ headers }: Exchange): string {
  return typeof headers.accept === "string" ? headers.accept : "";
}

function parseTarget(url: string): { readonly path: string; readonly query: URLSearchParams | undefined } {
  const mark = url.indexOf("?");
  const raw = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? undefined : new URLSearchParams(url.slice(mark + 1));
  if (!raw.includes("%")) return { path: raw, query };
  try {
    return { path: decodeURIComponent(raw), query };
  } catch {
    throw badRequest(`invalid URL escape in ${JSON.stringify(raw)}`);
  }
}
