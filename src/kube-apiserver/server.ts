import { ConversionMetrics } from "#apiextensions-apiserver/conversion/conversion-metrics.ts";
import { startCustomResources } from "#apiextensions-apiserver/custom-resources.ts";
import { ServingProgress } from "#apiextensions-apiserver/serving-progress.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { auditedClient } from "#apiserver/audit/audited-client.ts";
import { REQUEST_HEADERS } from "#apiserver/authentication/request-header.ts";
import { attributesOf, forbiddenError } from "#apiserver/authorization/authorizer.ts";
import { derived } from "#apiserver/derived.ts";
import { servedGroups } from "#apiserver/discovery/served-groups.ts";
import { createResourceRequestHandler } from "#apiserver/endpoints/handlers/dispatch.ts";
import { createInProcessClient } from "#apiserver/endpoints/in-process-client.ts";
import { flowControlDumps } from "#apiserver/flowcontrol/debug-dump.ts";
import { FlowControl } from "#apiserver/flowcontrol/flow-control.ts";
import { flowControlMetrics } from "#apiserver/flowcontrol/metrics.ts";
import { objectCounts } from "#apiserver/registry/store/object-counts.ts";
import { createStores, type StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import type { RequestContext, RequestInfo } from "#apiserver/request/request-info.ts";
import { resolveRequestInfo } from "#apiserver/request/resolve-request-info.ts";
import { ApiServer } from "#apiserver/server/api-server.ts";
import { listenPlainly } from "#apiserver/server/plain-listener.ts";
import { listenSecurely } from "#apiserver/server/secure-listener.ts";
import { DEFAULT_SERVING } from "#apiserver/server/serving-options.ts";
import { WebhookClient } from "#apiserver/webhook/webhook-client.ts";
import { nextTurn } from "#base/turn.ts";
import { silentLogger } from "#component-base/logging.ts";
import { Aggregator } from "#kube-aggregator/aggregator.ts";
import { delegateGet, delegateRequest } from "#kube-aggregator/delegate-request.ts";
import { firstAddress } from "#pki/cluster-assets.ts";
import type { CertificatePair } from "#pki/key-pair.ts";
import { startAdmission } from "./admission/admission-chain.ts";
import { denyPrivilegedContainers } from "./admission/privileged-containers.ts";
import { advertisedAddress } from "./advertised-address.ts";
import { startAudit } from "./audit/audit.ts";
import { startAuthentication } from "./authentication/authentication.ts";
import { labelUsedSecrets } from "./authentication/label-used-secrets.ts";
import { startAuthorization } from "./authorization/authorization.ts";
import { rbacEscalationCheck } from "./authorization/escalation.ts";
import { paramAccessCheck, servedResources } from "./authorization/param-access.ts";
import { podFeed } from "./authorization/pod-feed.ts";
import { rbacStores } from "./authorization/rbac-stores.ts";
import { readOnlyAuthorizer } from "./authorization/read-only.ts";
import { groupPriority } from "./bootstrap/api-services.ts";
import { bootstrapEssentials, bootstrapRest, publishAuthorities } from "./bootstrap/bootstrap.ts";
import { connectionCertificates } from "./connection-certificates.ts";
import { encryptionOf, storageSettings } from "./encryption/of-options.ts";
import { resourceOfKey } from "./encryption/resource-of-key.ts";
import { EndpointReconciler } from "./endpoint-reconciler/endpoint-reconciler.ts";
import { flowControlStores } from "./flow-control/flow-control-stores.ts";
import { keepFlowSchemaStatus } from "./flow-control/flow-schema-status.ts";
import { keepIdentityLease } from "./identity-lease.ts";
import { clusterNetwork } from "./kubelet-client/network.ts";
import { lazyStores } from "./lazy-stores.ts";
import { LOOPBACK_USER, loopbackContext, UNSECURED_USER } from "./loopback.ts";
import { nonResourceRoutes } from "./non-resource-routes.ts";
import { openApiDocument, openApiDocuments } from "./openapi-routes.ts";
import { profileRoutes } from "./profile-routes.ts";
import { selfSubjectReviews, tokenReviews } from "./registry/authentication/authentication-reviews.ts";
import { tokenSubresource } from "./registry/authentication/token-request.ts";
import { accessReviews } from "./registry/authorization/access-reviews.ts";
import { selfSubjectRulesReviews } from "./registry/authorization/rules-review.ts";
import { bindings } from "./registry/core/binding/binding.ts";
import { componentStatuses } from "./registry/core/component-status/component-status.ts";
import { thirdPartyResources } from "./registry/old-versions/third-party-resources.ts";
import { builtInResources } from "./registry/resources.ts";
import { RuntimeConfig } from "./runtime-config.ts";
import { servedVersions, upstreamStorageVersion } from "./served-versions.ts";
import type { KubeApiServer, KubeApiServerOptions } from "./server-options.ts";
import { serviceAddresses } from "./service-addresses.ts";
import { logStoreReports, storeHealth } from "./store-reports.ts";
import { warnOfUnserved } from "./unserved-versions.ts";

/** Shown to nobody. */
const NO_CERTIFICATE: CertificatePair = { cert: "", key: "" };

/** Starts the API server of Kubernetes' built-in resources. Resolves when it answers requests. */
export async function startKubeApiServer(options: KubeApiServerOptions): Promise<KubeApiServer> {
  const { clock, random, assets, logger = silentLogger, serving = DEFAULT_SERVING } = options;
  const lazy = lazyStores();
  let resourceOf = resourceOfKey([]);
  const encryption = await encryptionOf(options, (key) => resourceOf(key));
  const kv = encryption?.kv ?? options.kv;
  const settings = storageSettings(options, encryption);
  const authentication = await startAuthentication(options.authentication ?? {}, {
    stores: lazy.stores,
    clock,
    random,
    logger,
    serviceAccountKey: assets.serviceAccount,
    ca: assets.ca.cert,
    frontProxyCa: assets.frontProxyCa.cert,
    markUsed: labelUsedSecrets(lazy.stores, loopbackContext(), logger),
  });
  const {
    authorizer: asked,
    rbac,
    ...authorization
  } = await startAuthorization(options.authorization ?? {}, {
    stores: lazy.stores,
    pods: () => podFeed(stores),
    rbacSource: {
      version: () => rbacSource().version(),
      rulesVersion: () => rbacSource().rulesVersion(),
      clusterRoleBindings: () => rbacSource().clusterRoleBindings(),
      roleBindings: () => rbacSource().roleBindings(),
      rules: (namespace, name) => rbacSource().rules(namespace, name),
    },
    clock,
    random,
    logger,
  });
  const authorizer = settings.readOnly === true ? readOnlyAuthorizer(asked) : asked;
  const auditor = await startAudit(options.audit ?? {}, { clock, random, logger });
  const network = clusterNetwork({
    clock,
    kubelet: { ...assets.kubeletClient, ...options.kubelet },
    dialer: options.network,
    maxBytesPerSecond: options.maxConnectionBytesPerSecond,
  });
  const everything = builtInResources({
    stores: lazy.stores,
    network,
    clock,
    random,
    serviceClusterIpRange: options.serviceClusterIpRange,
    serviceNodePortRange: options.serviceNodePortRange ?? "30000-32767",
    ...(options.eventTtlSeconds === undefined ? {} : { eventTtlSeconds: options.eventTtlSeconds }),
    ...(kv.features.shared && { sharedStore: kv }),
    serviceAccountToken: tokenSubresource({
      ...authentication.tokenRequests,
      stores: lazy.stores,
      clock,
    }),
    virtual: [
      bindings({ stores: lazy.stores, clock }),
      ...accessReviews({ authorizer, clock }),
      selfSubjectRulesReviews(authorization.rules, authorization.rulesGap),
      selfSubjectReviews(clock),
      tokenReviews(authentication.tokens, clock),
      componentStatuses({
        ...storeHealth([kv, ...new Set(settings.overrides?.map((each) => each.kv))]),
        ...options.componentHealth,
      }),
    ],
  });
  resourceOf = resourceOfKey(
    everything.stored.map(({ group, plural, storagePrefix }) => ({ group, resource: plural, storagePrefix })),
  );
  const runtimeConfig = options.runtimeConfig ?? new RuntimeConfig();
  const resources = servedVersions(everything, runtimeConfig, [thirdPartyResources(lazy.stores)]);
  warnOfUnserved(runtimeConfig, resources, logger);
  for (const { group, resource } of settings.overrides ?? []) {
    if (everything.stored.some((stored) => stored.group === group && stored.plural === resource)) continue;
    logger.warn({ group, resource }, "--etcd-servers-overrides names a resource that is not built in");
  }
  const addresses = serviceAddresses(lazy.stores, random);
  const webhooks = new WebhookClient(clock, addresses);
  const conversionMetrics = new ConversionMetrics();
  const admission = await startAdmission(options.admission ?? {}, { authorizer, webhooks, stores: () => stores, clock, random });
  const stores: StoreRegistry = await createStores({
    resources,
    kv,
    clock,
    random,
    schemaFor,
    settings,
    onUnreadable: (key, error) => logger.error({ key, err: error }, "a stored object cannot be read"),
    admission: [
      paramAccessCheck(
        authorizer,
        servedResources(() => stores),
      ),
      ...admission.plugins,
      rbacEscalationCheck(rbac, authorizer),
      ...(options.allowPrivileged === false ? [denyPrivilegedContainers] : []),
    ],
  });
  lazy.set(stores);
  let source: ReturnType<typeof rbacStores> | undefined;
  const rbacSource = (): ReturnType<typeof rbacStores> => {
    source ??= rbacStores(stores);
    return source;
  };

  const address = {
    clusterIp: firstAddress(options.serviceClusterIpRange),
    serviceCidr: options.serviceClusterIpRange,
    ip: options.advertiseAddress ?? advertisedAddress(options.bindAddress),
  };
  const state = { port: options.port, bootstrapped: false, stopping: false };
  const aggregator = new Aggregator({
    clock,
    logger,
    resolver: addresses,
    ...(assets.frontProxyClient ?? NO_CERTIFICATE),
    stores: () => stores,
  });
  const documents = openApiDocuments(resources, () => stores.resources);
  const groups = derived(
    () => stores.version + aggregator.version(),
    () => aggregator.merge(servedGroups(stores.resources, groupPriority, upstreamStorageVersion)),
  );
  const progress = new ServingProgress(stores.generic("apiextensions.k8s.io", "customresourcedefinitions"), clock);
  stores.pending = (group, plural) => progress.pending(group, plural);
  const servesGroup = (group: string): boolean => groups().some(({ name }) => name === group);
  const flowControl = new FlowControl(clock, flowControlStores(stores), serving.seats);
  const authorize = async ({ user, query }: RequestContext, info: RequestInfo) => {
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
    resources: createResourceRequestHandler({ stores, authorize }, (error, request) =>
      logger.error({ err: error, method: request.method, path: request.info.path }, "request failed"),
    ),
    pendingResources: (group) => {
      const pending = progress.pending(group);
      if (pending !== undefined || group === undefined || !kv.features.shared || servesGroup(group)) return pending;
      // Another server may know of it already.
      return stores.cache.catchUp().then(() => progress.pending(group));
    },
    servesGroup,
    flowControl,
    delegate: (exchange, info, user) => delegateRequest(aggregator, exchange, info, user),
    nonResources: nonResourceRoutes({
      debug: new Map([...flowControlDumps(flowControl), ...profileRoutes(options.profiles)]),
      pages: options.swaggerUi === true ? (await import("./swagger-ui/routes.ts")).swaggerUiRoutes() : new Map(),
      otherDocuments: () => aggregator.openApi(),
      now: () => clock.now(),
      openApiResources: resources,
      documents,
      groups,
      health: {
        checkStore: () => kv.checkHealth(settings.healthTimeoutMs),
        checkReadyStore: () => kv.checkHealth(settings.readyTimeoutMs),
        more: encryption?.healthChecks ?? [],
        isBootstrapped: () => state.bootstrapped,
        isStopping: () => state.stopping,
      },
      metrics: async () =>
        `${flowControlMetrics(flowControl)}${conversionMetrics.text()}${network.metrics.text()}${settings.countObjects === false ? "" : objectCounts(stores)}${await server.metrics.text()}`,
      tokenIssuer: authentication.tokenIssuer,
      serverAddress: () => `${address.ip}:${state.port}`,
    }),
  });
  const giveUp = (error: unknown): never => {
    authentication.stop();
    authorization.stop();
    stores.stop();
    encryption?.stop();
    throw error;
  };
  const listener = await listenSecurely({
    clock,
    serving,
    bindAddress: options.bindAddress,
    port: options.port,
    ...connectionCertificates(assets.apiserver, authentication.authorities, assets.named),
    onExchange: (exchange) => server.handle(exchange),
  }).catch(giveUp);
  const { insecure } = options;
  const plain =
    insecure &&
    (await listenPlainly({
      ...insecure,
      peer: { user: UNSECURED_USER },
      onExchange: (exchange) => server.handle(exchange),
    }).catch(async (error: unknown) => {
      await listener.destroy();
      return giveUp(error);
    }));
  state.port = listener.port;
  const reconciler = new EndpointReconciler({
    ...(options.endpointReconciler ?? { type: "lease", count: 1 }),
    kv: options.kv,
    stores,
    context: loopbackContext(),
    clock,
    logger,
    ip: address.ip,
    port: listener.port,
  });

  const bootstrap = {
    stores,
    resources,
    clock,
    context: loopbackContext(),
    address: { ...address, port: listener.port },
    clientCa: authentication.authorities.clients.join(""),
    requestHeaderCa: authentication.authorities.proxies.join(""),
    proxyNames: authentication.authorities.proxyNames,
    requestHeaders: { ...REQUEST_HEADERS, ...options.authentication?.requestHeader?.headers },
    ...(kv.features.shared && { enterEndpoints: () => reconciler.start() }),
  };
  const customResourcesEnd = new AbortController();
  const background = new AbortController();
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      state.stopping = true;
      if (kv.features.shared) await reconciler.stop();
      // Whoever spreads requests over servers has time to see it.
      if (serving.shutdownDelayMs > 0) await clock.sleep(serving.shutdownDelayMs);
      background.abort();
      customResourcesEnd.abort();
      if (serving.shutdownSendRetryAfter) {
        server.leave();
        await server.drain();
      }
      listener.stopAccepting();
      plain?.stopAccepting();
      await server.drain();
      await Promise.all([listener.destroy(), plain?.destroy()]);
      await auditor?.stop();
      aggregator.stop();
      flowControl.stop();
      authentication.stop();
      authorization.stop();
      webhooks.close();
      admission.close();
      stores.stop();
      encryption?.stop();
    })();
    return stopped;
  };
  try {
    if (settings.readOnly !== true) await bootstrapEssentials(bootstrap);
    await startCustomResources({
      stores,
      progress,
      client: createInProcessClient(stores, LOOPBACK_USER, authorizer, { userAgent: "kube-apiserver" }),
      clock,
      random,
      signal: customResourcesEnd.signal,
      webhooks,
      conversionMetrics,
      onError: (definition, error) => logger.warn({ definition, err: error }, "a custom resource cannot be served"),
    });
  } catch (error) {
    await stop();
    throw error;
  }
  const begun = settings.readOnly === true ? Promise.resolve() : bootstrapRest(bootstrap);
  const ready = begun.then(async () => {
    state.bootstrapped = true;
    if (settings.readOnly === true) return;
    // Many wait for `/readyz`: they are answered before the rest begins. The first turn only ends the one that this runs in.
    for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => nextTurn(resolve));
    if (background.signal.aborted) return;
    const client = createInProcessClient(stores, LOOPBACK_USER, authorizer);
    keepFlowSchemaStatus({ client, clock, logger, signal: background.signal });
    logStoreReports({ kv, clock, logger, signal: background.signal });
    aggregator.start(client, background.signal);
    if (kv.features.shared) keepIdentityLease({ client, clock, random, logger, signal: background.signal });
  });
  ready.catch((error: unknown) => logger.error({ err: error }, "a system object could not be made"));
  const host = options.bindAddress === "0.0.0.0" || options.bindAddress === "::" ? address.ip : options.bindAddress;
  return {
    url: `https://${host}:${listener.port}`,
    port: listener.port,
    ...(plain === undefined ? {} : { insecurePort: plain.port }),
    stores,
    authorizer,
    inProcessClient: (user) => {
      const client = createInProcessClient(stores, user, authorizer, {
        elsewhere: async (path, asking) =>
          (await openApiDocument(documents, path)) ??
          delegateGet(aggregator, path, resolveRequestInfo("GET", path, undefined), asking),
      });
      return auditor === undefined ? client : auditedClient(client, { auditor, user, clock, random });
    },
    useCertificates: async ({ ca, frontProxyCa, apiserver, named }) => {
      const authorities = await authentication.authoritiesWith({ ca: ca.cert, frontProxyCa: frontProxyCa.cert });
      listener.useCertificates(connectionCertificates(apiserver, authorities, named));
      if (settings.readOnly === true) return;
      const [clientCa, requestHeaderCa] = [authorities.clients.join(""), authorities.proxies.join("")];
      await publishAuthorities({ ...bootstrap, clientCa, requestHeaderCa });
    },
    ready,
    stop,
  };
}
