import { ConversionMetrics } from "#apiextensions-apiserver/conversion/conversion-metrics.ts";
import { startCustomResources } from "#apiextensions-apiserver/custom-resources.ts";
import { ServingProgress } from "#apiextensions-apiserver/serving-progress.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { auditedClient } from "#apiserver/audit/audited-client.ts";
import { type PeerAuthorities, peerIdentifier } from "#apiserver/authentication/peer-identity.ts";
import { AUTHENTICATED } from "#apiserver/authentication/users.ts";
import { type Authorizer, attributesOf, forbiddenError } from "#apiserver/authorization/authorizer.ts";
import { derived } from "#apiserver/derived.ts";
import { servedGroups } from "#apiserver/discovery/served-groups.ts";
import { createResourceRequestHandler } from "#apiserver/endpoints/handlers/dispatch.ts";
import { createInProcessClient } from "#apiserver/endpoints/in-process-client.ts";
import { flowControlDumps } from "#apiserver/flowcontrol/debug-dump.ts";
import { FlowControl } from "#apiserver/flowcontrol/flow-control.ts";
import { flowControlMetrics } from "#apiserver/flowcontrol/metrics.ts";
import type { NetworkDialer } from "#apiserver/proxy/network-dialer.ts";
import type { ResourceSet, Stores } from "#apiserver/registry/resource-set.ts";
import { objectCounts } from "#apiserver/registry/store/object-counts.ts";
import type { StorageSettings } from "#apiserver/registry/store/storage-settings.ts";
import { createStores, type StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import type { RequestContext, RequestInfo, UserInfo } from "#apiserver/request/request-info.ts";
import { resolveRequestInfo } from "#apiserver/request/resolve-request-info.ts";
import { ApiServer } from "#apiserver/server/api-server.ts";
import { listenPlainly } from "#apiserver/server/plain-listener.ts";
import { listenSecurely, type SecureListener } from "#apiserver/server/secure-listener.ts";
import { DEFAULT_SERVING, type ServingOptions } from "#apiserver/server/serving-options.ts";
import { WebhookClient } from "#apiserver/webhook/webhook-client.ts";
import { assert } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { nextTurn } from "#base/turn.ts";
import type { Client } from "#client/client.ts";
import { type Logger, silentLogger } from "#component-base/logging.ts";
import { Aggregator } from "#kube-aggregator/aggregator.ts";
import { delegateGet, delegateRequest } from "#kube-aggregator/delegate-request.ts";
import { firstAddress } from "#pki/cluster-assets.ts";
import type { CertificatePair, SigningKeyPair } from "#pki/key-pair.ts";
import type { KVStore } from "#storage/kv.ts";
import { startAdmission } from "./admission/admission-chain.ts";
import type { AdmissionPluginChoice } from "./admission/plugins.ts";
import { denyPrivilegedContainers } from "./admission/privileged-containers.ts";
import { advertisedAddress } from "./advertised-address.ts";
import { type AuditOptions, startAudit } from "./audit/audit.ts";
import { startAuthentication } from "./authentication/authentication.ts";
import type { AuthenticationOptions } from "./authentication/authentication-options.ts";
import { labelUsedSecrets } from "./authentication/label-used-secrets.ts";
import { type AuthorizationOptions, startAuthorization } from "./authorization/authorization.ts";
import { rbacEscalationCheck } from "./authorization/escalation.ts";
import { paramAccessCheck, servedResources } from "./authorization/param-access.ts";
import { podFeed } from "./authorization/pod-feed.ts";
import { rbacStores } from "./authorization/rbac-stores.ts";
import { readOnlyAuthorizer } from "./authorization/read-only.ts";
import { groupPriority } from "./bootstrap/api-services.ts";
import { bootstrapEssentials, bootstrapRest } from "./bootstrap/bootstrap.ts";
import type { EncryptionAtRest, EncryptionOptions } from "./encryption/encryption-at-rest.ts";
import { resourceOfKey } from "./encryption/resource-of-key.ts";
import { EndpointReconciler, type EndpointReconcilerType } from "./endpoint-reconciler/endpoint-reconciler.ts";
import { flowControlStores } from "./flow-control/flow-control-stores.ts";
import { keepFlowSchemaStatus } from "./flow-control/flow-schema-status.ts";
import { keepIdentityLease } from "./identity-lease.ts";
import type { KubeletClientOptions } from "./kubelet-client/kubelet-client.ts";
import { clusterNetwork } from "./kubelet-client/network.ts";
import { nonResourceRoutes } from "./non-resource-routes.ts";
import { openApiDocument, openApiDocuments } from "./openapi-routes.ts";
import { type Profiles, profileRoutes } from "./profile-routes.ts";
import { selfSubjectReviews, tokenReviews } from "./registry/authentication/authentication-reviews.ts";
import { tokenSubresource } from "./registry/authentication/token-request.ts";
import { accessReviews } from "./registry/authorization/access-reviews.ts";
import { selfSubjectRulesReviews } from "./registry/authorization/rules-review.ts";
import { bindings } from "./registry/core/binding/binding.ts";
import { type ComponentHealth, componentStatuses } from "./registry/core/component-status/component-status.ts";
import { thirdPartyResources } from "./registry/old-versions/third-party-resources.ts";
import { builtInResources } from "./registry/resources.ts";
import { RuntimeConfig } from "./runtime-config.ts";
import { servedVersions, upstreamStorageVersion } from "./served-versions.ts";
import { serviceAddresses } from "./service-addresses.ts";
import { logStoreReports, storeHealth } from "./store-reports.ts";

/** What an API server proves itself with, and whom it trusts. PEM texts; an authority may be empty. */
export interface ServerAssets {
  /** Signs clients' certificates. */
  readonly ca: Pick<CertificatePair, "cert">;
  readonly frontProxyCa: Pick<CertificatePair, "cert">;
  readonly apiserver: CertificatePair;
  readonly kubeletClient?: CertificatePair;
  readonly frontProxyClient?: CertificatePair;
  readonly serviceAccount: () => Promise<SigningKeyPair>;
}

/** What an API server is started with. */
export interface KubeApiServerOptions {
  /** Stays the caller's: it is not closed. */
  readonly kv: KVStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly assets: ServerAssets;
  readonly bindAddress: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** CIDR that Services get their cluster IPs from; the first address is the API server's own. */
  readonly serviceClusterIpRange: string;
  /** Default `30000-32767`. */
  readonly serviceNodePortRange?: string;
  /** How clients prove who they are, beside certificates of the cluster's authority and service-account tokens. */
  readonly authentication?: AuthenticationOptions;
  /** Who decides what they may do. */
  readonly authorization?: AuthorizationOptions;
  /** Which admission plugins run. Default: those that run unasked. */
  readonly admission?: AdmissionPluginChoice;
  /** Which versions of the API are served. Default: the stable ones. */
  readonly runtimeConfig?: RuntimeConfig;
  /** How values are encrypted before they are stored; not at all when absent. */
  readonly encryption?: EncryptionOptions;
  /** How objects are stored. */
  readonly storage?: StorageSettings;
  /** What is written down of requests; nothing when absent. */
  readonly audit?: AuditOptions;
  /** How it speaks with its clients. Default: as upstream. */
  readonly serving?: ServingOptions;
  /** What is served at `/debug/pprof/`; nothing when absent. */
  readonly profiles?: Profiles;
  /** Serves the page at `/swagger-ui/`. Default: false. */
  readonly swaggerUi?: boolean;
  /** The IP address that members of the cluster reach the server by. Default: the bound one, or the machine's first. */
  readonly advertiseAddress?: string;
  /** How kubelets are reached. Default: by upstream's defaults, with the cluster's certificate for that. */
  readonly kubelet?: KubeletClientOptions;
  /** How much `exec`, `port-forward` and other upgraded connections may carry each way; any amount when 0 or absent. */
  readonly maxConnectionBytesPerSecond?: number;
  /** Where else it listens: without TLS, and whoever comes may do everything. Nowhere when absent. */
  readonly insecure?: { readonly bindAddress: string; readonly port: number };
  /** How servers of one store enter themselves in `default/kubernetes`. Default: by leases. */
  readonly endpointReconciler?: { readonly type: EndpointReconcilerType; readonly count: number };
  /** Whether pods may have privileged containers. Default: true. */
  readonly allowPrivileged?: boolean;
  /** How long an event is kept after its last write. Default: an hour. */
  readonly eventTtlSeconds?: number;
  /** Leads to nodes and pods that are simulated. */
  readonly network?: NetworkDialer;
  /** For `componentstatuses`, beside an `etcd-0` that may be told otherwise here. */
  readonly componentHealth?: Readonly<Record<string, ComponentHealth>>;
}

/** An API server that answers. */
export interface KubeApiServer {
  /** `https://HOST:PORT` */
  readonly url: string;
  readonly port: number;
  /** Of the listener without TLS. */
  readonly insecurePort?: number;
  readonly stores: StoreRegistry;
  readonly authorizer: Authorizer;
  /** The API as this user, without sockets. Authorized as over HTTPS. */
  inProcessClient(user: UserInfo): Client;
  /** Shows another serving certificate, and takes those of other authorities, from the next connection on. */
  useCertificates(assets: Pick<ServerAssets, "ca" | "frontProxyCa" | "apiserver">): Promise<void>;
  /** All objects that a cluster begins with are there. */
  readonly ready: Promise<void>;
  /** Ends watches, finishes what is in progress, closes all connections. Can be called again. */
  stop(): Promise<void>;
}

/** Group whose members may do everything. */
const MASTERS = "system:masters";

/** Shown to nobody. */
const NO_CERTIFICATE: CertificatePair = { cert: "", key: "" };

/** Who writes the objects that a cluster begins with. */
const LOOPBACK_USER: UserInfo = { name: "system:apiserver", uid: "", groups: [MASTERS, AUTHENTICATED], extra: {} };

/** Who comes without TLS, as former years called him (upstream's `InsecureSuperuser`). */
const UNSECURED_USER: UserInfo = { name: "system:unsecured", uid: "", groups: [MASTERS, AUTHENTICATED], extra: {} };

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
    ...connectionCertificates(assets.apiserver, authentication.authorities),
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
    useCertificates: async ({ ca, frontProxyCa, apiserver }) => {
      const authorities = await authentication.authoritiesWith({ ca: ca.cert, frontProxyCa: frontProxyCa.cert });
      listener.useCertificates(connectionCertificates(apiserver, authorities));
    },
    ready,
    stop,
  };
}

/** What the server shows of itself, and whom it knows by theirs. */
function connectionCertificates(
  { cert, key }: CertificatePair,
  authorities: PeerAuthorities,
): Parameters<SecureListener["useCertificates"]>[0] {
  return { cert, key, clientCa: [...authorities.clients, ...authorities.proxies], identify: peerIdentifier(authorities) };
}

/** With the values of resources that are kept elsewhere encrypted as the others are. */
function storageSettings({ storage = {} }: KubeApiServerOptions, encryption: EncryptionAtRest | undefined): StorageSettings {
  const { overrides = [] } = storage;
  if (encryption === undefined || overrides.length === 0) return storage;
  const wrapped = new Map([...new Set(overrides.map(({ kv }) => kv))].map((kv) => [kv, encryption.wrap(kv)]));
  return { ...storage, overrides: overrides.map((each) => ({ ...each, kv: wrapped.get(each.kv) ?? each.kv })) };
}

/** Loaded only where it is asked for. */
async function encryptionOf(
  options: KubeApiServerOptions,
  resourceOf: ReturnType<typeof resourceOfKey>,
): Promise<EncryptionAtRest | undefined> {
  if (options.encryption === undefined) return undefined;
  const { startEncryption } = await import("./encryption/encryption-at-rest.ts");
  const { kv, clock, random, logger = silentLogger } = options;
  return startEncryption(options.encryption, kv, resourceOf, { clock, random, logger });
}

/** Says which versions somebody asked for in vain, as guides of former years do. */
function warnOfUnserved(config: RuntimeConfig, { stored, virtual }: ResourceSet, logger: Logger): void {
  const served = new Set<string>();
  for (const { group, version } of virtual) served.add(`${group}/${version}`);
  for (const { group, version, storageVersionServed, otherVersions = [] } of stored) {
    if (storageVersionServed !== false) served.add(`${group}/${version}`);
    for (const other of otherVersions) served.add(`${other.group ?? group}/${other.version}`);
  }
  for (const version of [...config.named, ...config.forgotten]) {
    if (!served.has(version)) logger.warn({ version }, "--runtime-config asks for a version of which nothing can be served");
  }
}

/** The stores exist after the resources that want to use them. */
function lazyStores(): { readonly stores: Stores; set(stores: Stores): void } {
  let actual: Stores | undefined;
  return {
    stores: {
      of(group, plural) {
        assert(actual !== undefined, "stores are used only when requests are served");
        return actual.of(group, plural);
      },
    },
    set: (stores) => {
      actual = stores;
    },
  };
}

function loopbackContext(): RequestContext {
  return {
    user: LOOPBACK_USER,
    info: resolveRequestInfo("POST", "/", undefined),
    userAgent: "kube-apiserver",
    query: new URLSearchParams(),
    signal: new AbortController().signal,
    warnings: [],
  };
}
