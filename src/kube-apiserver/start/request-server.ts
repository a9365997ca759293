import type { StatusError } from "#apimachinery/api-errors/status.ts";
import { attributesOf, forbiddenError } from "#apiserver/authorization/authorizer.ts";
import { createResourceRequestHandler } from "#apiserver/endpoints/handlers/dispatch.ts";
import { flowControlDumps } from "#apiserver/flowcontrol/debug-dump.ts";
import type { FlowControl } from "#apiserver/flowcontrol/flow-control.ts";
import { flowControlMetrics } from "#apiserver/flowcontrol/metrics.ts";
import type { NonResourceRoute } from "#apiserver/non-resource/route.ts";
import { objectCounts } from "#apiserver/registry/store/object-counts.ts";
import type { RequestContext, RequestInfo } from "#apiserver/request/request-info.ts";
import { ApiServer } from "#apiserver/server/api-server.ts";
import { DEFAULT_SERVING } from "#apiserver/server/serving-options.ts";
import { noteDefect } from "#base/defect.ts";
import { silentLogger } from "#component-base/logging.ts";
import { delegateRequest } from "#kube-aggregator/delegate-request.ts";
import { nonResourceRoutes } from "../non-resource-routes.ts";
import { profileRoutes } from "../profile-routes.ts";
import type { KubeApiServerOptions } from "../server-options.ts";
import type { PublishedApi } from "./published-api.ts";
import type { Registry } from "./registry.ts";
import type { Security } from "./security.ts";
import type { Storage } from "./storage.ts";

/** How far the server is, for its health. */
export interface Progress {
  bootstrapped: boolean;
  stopping: boolean;
  /** Resolves when there is what the first request may ask for; undefined from then on. */
  beginning: Promise<void> | undefined;
  /** `HOST:PORT`, once it listens. */
  address: string;
}

/** What requests are answered with. */
export interface RequestModules {
  readonly storage: Storage;
  readonly security: Security;
  readonly registry: Registry;
  readonly api: PublishedApi;
  readonly flowControl: FlowControl;
  readonly progress: Progress;
}

/** What answers requests, wherever they come from. */
export async function createRequestServer(options: KubeApiServerOptions, modules: RequestModules): Promise<ApiServer> {
  const { clock, random, logger = silentLogger, serving = DEFAULT_SERVING } = options;
  const { security, registry, api, flowControl } = modules;
  const { authorizer, auditor, authentication } = security;
  const authorize = async ({ user, query }: RequestContext, info: RequestInfo): Promise<StatusError | undefined> => {
    const attributes = attributesOf(user, info, query.get("fieldSelector") ?? undefined, query.get("labelSelector") ?? undefined);
    const { decision, reason } = await authorizer.authorize(attributes);
    return decision === "allow" ? undefined : forbiddenError(attributes, reason);
  };
  const server: ApiServer = new ApiServer({
    clock,
    random,
    logger,
    serving,
    authenticator: authentication.authenticator,
    auditor,
    authorizer,
    resources: createResourceRequestHandler({ stores: registry.stores, authorize }, (error, request) => {
      noteDefect(`${request.method} ${request.info.path}`, error);
      logger.error({ err: error, method: request.method, path: request.info.path }, "request failed");
    }),
    pendingResources: api.pendingResources,
    beginning: () => modules.progress.beginning,
    servesGroup: api.servesGroup,
    flowControl,
    delegate: (exchange, info, user) => delegateRequest(api.aggregator, exchange, info, user),
    nonResources: await otherRoutes(options, modules, () => server.metrics.text()),
  });
  return server;
}

/** Health, metrics, documents and profiles. */
async function otherRoutes(
  options: KubeApiServerOptions,
  { storage: { databases, settings, encryption, reports }, security, registry, api, flowControl, progress }: RequestModules,
  requestMetrics: () => Promise<string>,
): Promise<NonResourceRoute> {
  return nonResourceRoutes({
    debug: new Map([...flowControlDumps(flowControl), ...profileRoutes(options.profiles)]),
    pages: options.swaggerUi === true ? (await import("../swagger-ui/routes.ts")).swaggerUiRoutes() : new Map(),
    otherDocuments: () => api.aggregator.openApi(),
    now: () => options.clock.now(),
    openApiResources: registry.resources,
    documents: api.documents,
    groups: api.groups,
    health: {
      stores: databases.map((kv) => ({
        check: () => kv.checkHealth(settings.healthTimeoutMs),
        checkReady: () => kv.checkHealth(settings.readyTimeoutMs),
      })),
      more: encryption?.healthChecks ?? [],
      isBootstrapped: () => progress.bootstrapped,
      isStopping: () => progress.stopping,
    },
    metrics: async () => {
      const counts = settings.countObjects === false ? "" : objectCounts(registry.stores);
      const streams = registry.network.metrics.text();
      return `${flowControlMetrics(flowControl)}${api.conversionMetrics.text()}${streams}${registry.allocations.text()}${counts}${reports.metrics()}${await requestMetrics()}`;
    },
    tokenIssuer: security.authentication.tokenIssuer,
    serverAddress: () => progress.address,
  });
}
