import { startCustomResources } from "#apiextensions-apiserver/custom-resources.ts";
import { auditedClient } from "#apiserver/audit/audited-client.ts";
import { REQUEST_HEADERS } from "#apiserver/authentication/request-header.ts";
import { createInProcessClient } from "#apiserver/endpoints/in-process/client.ts";
import { FlowControl } from "#apiserver/flowcontrol/flow-control.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";
import { resolveRequestInfo } from "#apiserver/request/resolve-request-info.ts";
import type { ApiServer } from "#apiserver/server/api-server.ts";
import { DEFAULT_SERVING } from "#apiserver/server/serving-options.ts";
import { nextTurn } from "#base/turn.ts";
import type { Client } from "#client/client.ts";
import { silentLogger } from "#component-base/logging.ts";
import { delegateGet } from "#kube-aggregator/delegate-request.ts";
import { firstAddress } from "#pki/cluster-assets.ts";
import { advertisedAddress } from "./advertised-address.ts";
import {
  type BootstrapOptions,
  bootstrapEssentials,
  bootstrapNamespaces,
  bootstrapRest,
  isNewCluster,
  publishAuthorities,
} from "./bootstrap/bootstrap.ts";
import { tellServiceCidrMismatch } from "./bootstrap/service-cidr.ts";
import { untilStored } from "./bootstrap/until-stored.ts";
import { repairClusterIps } from "./cluster-ip-repair/repair-loop.ts";
import { connectionCertificates } from "./connection-certificates.ts";
import { EndpointReconciler } from "./endpoint-reconciler/endpoint-reconciler.ts";
import { flowControlStores } from "./flow-control/flow-control-stores.ts";
import { keepFlowSchemaStatus } from "./flow-control/flow-schema-status.ts";
import { keepIdentityLease } from "./identity-lease.ts";
import { LOOPBACK_USER, loopbackContext } from "./loopback.ts";
import { openApiDocument } from "./openapi-routes.ts";
import type { KubeApiServer, KubeApiServerOptions } from "./server-options.ts";
import { checkAdvertisedFamily, parseServiceRanges } from "./service-ranges.ts";
import { lazyStores } from "./start/lazy-stores.ts";
import { type Listeners, listen } from "./start/listeners.ts";
import { publishApi } from "./start/published-api.ts";
import { startRegistry } from "./start/registry.ts";
import { createRequestServer, type Progress, type RequestModules } from "./start/request-server.ts";
import { startSecurity } from "./start/security.ts";
import { openStorage } from "./start/storage.ts";

/** Starts the API server of Kubernetes' built-in resources. Resolves when it answers requests. */
export async function startKubeApiServer(options: KubeApiServerOptions): Promise<KubeApiServer> {
  const { clock, serving = DEFAULT_SERVING } = options;
  const ip = advertisedIp(options);
  if (options.endpointReconciler?.type !== "none") {
    checkAdvertisedFamily(parseServiceRanges(options.serviceClusterIpRange), ip);
  }
  const lazy = lazyStores();
  const storage = await openStorage(options);
  const isReadOnly = storage.settings.readOnly === true;
  const security = await startSecurity(options, lazy, { readOnly: isReadOnly });
  const registry = await startRegistry(options, lazy, security, storage);
  const api = publishApi(options, registry, { isShared: storage.kv.features.shared });
  const flowControl = new FlowControl(clock, flowControlStores(registry.stores), serving.seats);
  const progress: Progress = { bootstrapped: false, stopping: false, beginning: undefined, address: "" };
  const modules: RequestModules = { storage, security, registry, api, flowControl, progress };
  const server = await createRequestServer(options, modules);
  // They are on their way to the disk while it begins to listen. What fails is tried again with the rest.
  const isNew = isNewCluster(registry.stores);
  const namespaces = isReadOnly ? undefined : bootstrapNamespaces({ stores: registry.stores, context: loopbackContext() });
  namespaces?.catch(() => undefined);
  const listeners = await listen(options, security, (exchange) => server.handle(exchange)).catch((error: unknown) => {
    security.stop();
    registry.stores.stop();
    storage.encryption?.stop();
    throw error;
  });
  const running = new RunningServer({ ...options, advertiseAddress: ip }, modules, server, listeners);
  try {
    await running.start({ isNew, namespaces });
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}

/** How long it is tried to make what the first request needs, as long as upstream tries to make roles; the server does not start then. */
const ESSENTIALS_MAX_MS = 30_000;

/** What a server begins with. */
interface Beginning {
  /** Nobody can have asked for anything yet: requests may wait for what all clusters have. */
  readonly isNew: boolean;
  /** The namespaces, if they are to be made. */
  readonly namespaces: Promise<void> | undefined;
}

/** A server that listens, from the first objects of its cluster to its end. */
class RunningServer implements KubeApiServer {
  readonly #options: KubeApiServerOptions;
  readonly #modules: RequestModules;
  readonly #server: ApiServer;
  readonly #listeners: Listeners;
  readonly #reconciler: EndpointReconciler;
  readonly #bootstrap: BootstrapOptions;
  readonly #background = new AbortController();
  readonly #isReadOnly: boolean;
  readonly #isShared: boolean;
  readonly url: string;
  readonly port: number;
  readonly insecurePort?: number;
  ready: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;
  #entered: Promise<void> | undefined;

  constructor(options: KubeApiServerOptions, modules: RequestModules, server: ApiServer, listeners: Listeners) {
    const { clock, logger = silentLogger, bindAddress, serviceClusterIpRange } = options;
    const { security, registry, storage, progress } = modules;
    const { authorities } = security.authentication;
    const { stores, resources } = registry;
    this.#options = options;
    this.#modules = modules;
    this.#server = server;
    this.#listeners = listeners;
    this.#isReadOnly = storage.settings.readOnly === true;
    this.#isShared = storage.kv.features.shared;
    const { port } = listeners.secure;
    const ip = advertisedIp(options);
    progress.address = `${inUrl(ip)}:${port}`;
    this.port = port;
    this.url = `https://${inUrl(bindAddress === "0.0.0.0" || bindAddress === "::" ? ip : bindAddress)}:${port}`;
    if (listeners.plain !== undefined) this.insecurePort = listeners.plain.port;
    const context = loopbackContext();
    this.#reconciler = new EndpointReconciler({
      ...(options.endpointReconciler ?? { type: "lease", count: 1 }),
      kv: options.kv,
      stores,
      context,
      clock,
      logger,
      ip,
      port,
    });
    this.#bootstrap = {
      stores,
      resources,
      clock,
      context,
      address: {
        clusterIp: firstAddress(serviceClusterIpRange),
        serviceCidrs: parseServiceRanges(serviceClusterIpRange),
        ip,
        port,
      },
      clientCa: authorities.clients.join(""),
      requestHeaderCa: authorities.proxies.join(""),
      proxyNames: authorities.proxyNames,
      requestHeaders: { ...REQUEST_HEADERS, ...options.authentication?.requestHeader?.headers },
      ...(this.#isShared && { enterEndpoints: () => this.#enterEndpoints() }),
    };
  }

  get stores(): KubeApiServer["stores"] {
    return this.#modules.registry.stores;
  }

  get authorizer(): KubeApiServer["authorizer"] {
    return this.#modules.security.authorizer;
  }

  /** Makes what the first request may ask for, beginning after `namespaces`, and goes on with the rest. */
  async start({ isNew, namespaces }: Beginning): Promise<void> {
    const begun = this.#isReadOnly ? Promise.resolve() : this.#begin(namespaces);
    const { progress } = this.#modules;
    if (!this.#isReadOnly && isNew) progress.beginning = begun.catch(() => undefined);
    await Promise.all([begun, this.#options.onListening?.(this.url)]).finally(() => {
      progress.beginning = undefined;
    });
    await this.#serveCustomResources();
    this.ready = this.#finish();
    this.ready.catch((error: unknown) => this.#options.logger?.error({ err: error }, "a system object could not be made"));
  }

  inProcessClient(user: UserInfo): Client {
    const { clock, random } = this.#options;
    const { auditor } = this.#modules.security;
    const { aggregator, documents } = this.#modules.api;
    const client = createInProcessClient(this.stores, user, this.authorizer, {
      elsewhere: async (path, asking) =>
        (await openApiDocument(documents, path)) ??
        delegateGet(aggregator, path, resolveRequestInfo("GET", path, undefined), asking),
    });
    return auditor === undefined ? client : auditedClient(client, { auditor, user, clock, random });
  }

  async useCertificates({ ca, frontProxyCa, apiserver, named }: Parameters<KubeApiServer["useCertificates"]>[0]): Promise<void> {
    const { authentication } = this.#modules.security;
    const authorities = await authentication.authoritiesWith({ ca: ca.cert, frontProxyCa: frontProxyCa.cert });
    this.#listeners.secure.useCertificates(connectionCertificates(apiserver, authorities, named));
    if (this.#isReadOnly) return;
    const [clientCa, requestHeaderCa] = [authorities.clients.join(""), authorities.proxies.join("")];
    await publishAuthorities({ ...this.#bootstrap, clientCa, requestHeaderCa });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #begin(namespaces: Promise<void> | undefined): Promise<void> {
    await namespaces?.catch(() => undefined);
    await this.#untilStored(() => bootstrapEssentials(this.#bootstrap), ESSENTIALS_MAX_MS);
  }

  async #serveCustomResources(): Promise<void> {
    const { clock, random, logger = silentLogger } = this.#options;
    const { progress, conversionMetrics } = this.#modules.api;
    await startCustomResources({
      stores: this.stores,
      progress,
      client: createInProcessClient(this.stores, LOOPBACK_USER, this.authorizer, { userAgent: "kube-apiserver" }),
      clock,
      random,
      signal: this.#background.signal,
      webhooks: this.#modules.registry.webhooks,
      conversionMetrics,
      requestMetrics: this.#server.metrics,
      onError: (definition, error) => logger.warn({ definition, err: error }, "a custom resource cannot be served"),
    });
  }

  /** The rest of what a cluster begins with, and what goes on beside requests. */
  async #finish(): Promise<void> {
    if (!this.#isReadOnly) await this.#untilStored(() => bootstrapRest(this.#bootstrap));
    this.#modules.progress.bootstrapped = true;
    if (this.#isReadOnly) return;
    // Many wait for `/readyz`: they are answered before the rest begins. The first turn only ends the one that this runs in.
    for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => nextTurn(resolve));
    const { signal } = this.#background;
    if (signal.aborted) return;
    const { clock, random, logger = silentLogger } = this.#options;
    const client = createInProcessClient(this.stores, LOOPBACK_USER, this.authorizer);
    keepFlowSchemaStatus({ client, clock, logger, signal });
    tellServiceCidrMismatch(this.stores, parseServiceRanges(this.#options.serviceClusterIpRange), logger);
    repairClusterIps({ stores: this.stores, client, clock, random, logger, signal });
    this.#modules.storage.reports.start(signal);
    this.#modules.api.aggregator.start(client, signal);
    if (this.#isShared) keepIdentityLease({ client, clock, random, logger, signal });
  }

  /** Once, however often the rest is tried. */
  #enterEndpoints(): Promise<void> {
    this.#entered ??= this.#reconciler.start();
    return this.#entered;
  }

  #untilStored(work: () => Promise<void>, limitMs?: number): Promise<void> {
    const { clock, logger = silentLogger } = this.#options;
    return untilStored(work, {
      clock,
      signal: this.#background.signal,
      ...(limitMs === undefined ? {} : { limitMs }),
      onFailure: (error) => logger.warn({ err: error }, "a system object could not be made yet"),
    });
  }

  async #stop(): Promise<void> {
    const { clock, serving = DEFAULT_SERVING } = this.#options;
    const { security, registry, api, flowControl, storage, progress } = this.#modules;
    progress.stopping = true;
    if (this.#isShared) await this.#reconciler.stop();
    // Whoever spreads requests over servers has time to see it.
    if (serving.shutdownDelayMs > 0) await clock.sleep(serving.shutdownDelayMs);
    this.#background.abort();
    if (serving.shutdownSendRetryAfter) {
      this.#server.leave();
      await this.#server.drain();
    }
    this.#listeners.stopAccepting();
    await this.#server.drain();
    await this.#listeners.destroy();
    await security.auditor?.stop();
    api.aggregator.stop();
    flowControl.stop();
    security.stop();
    registry.webhooks.close();
    registry.admission.close();
    registry.stores.stop();
    storage.encryption?.stop();
  }
}

/** The address that members of the cluster reach the server by, of the family of its Services. */
function advertisedIp({ advertiseAddress, bindAddress, serviceClusterIpRange }: KubeApiServerOptions): string {
  const [first] = parseServiceRanges(serviceClusterIpRange);
  return advertiseAddress ?? advertisedAddress(bindAddress, first?.includes(":") ? 6 : 4);
}

function inUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
