import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { VirtualResource } from "#apiserver/registry/resource.ts";
import type { ResourceSet } from "#apiserver/registry/resource-set.ts";
import { createStores, type StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import type { ServiceResolver } from "#apiserver/webhook/service-resolver.ts";
import { WebhookClient } from "#apiserver/webhook/webhook-client.ts";
import { silentLogger } from "#component-base/logging.ts";
import { type AdmissionChain, startAdmission } from "../admission/admission-chain.ts";
import { denyPrivilegedContainers } from "../admission/privileged-containers.ts";
import { rbacEscalationCheck } from "../authorization/escalation.ts";
import { paramAccessCheck, servedResources } from "../authorization/param-access.ts";
import { type ClusterNetwork, clusterNetwork } from "../kubelet-client/network.ts";
import { selfSubjectReviews, tokenReviews } from "../registry/authentication/authentication-reviews.ts";
import { tokenSubresource } from "../registry/authentication/token-request.ts";
import { accessReviews } from "../registry/authorization/access-reviews.ts";
import { selfSubjectRulesReviews } from "../registry/authorization/rules-review.ts";
import { bindings } from "../registry/core/binding/binding.ts";
import { componentStatuses } from "../registry/core/component-status/component-status.ts";
import { AllocationMetrics } from "../registry/core/service/allocation/allocation-metrics.ts";
import { thirdPartyResources } from "../registry/old-versions/third-party-resources.ts";
import { builtInResources } from "../registry/resources.ts";
import { RuntimeConfig } from "../runtime-config.ts";
import { servedVersions } from "../served-versions.ts";
import type { KubeApiServerOptions } from "../server-options.ts";
import { serviceAddresses } from "../service-addresses.ts";
import { parseServiceRanges } from "../service-ranges.ts";
import { storeHealth } from "../store-reports.ts";
import { warnOfUnserved } from "../unserved-versions.ts";
import type { LazyStores } from "./lazy-stores.ts";
import type { Security } from "./security.ts";
import type { Storage } from "./storage.ts";

const NODE_PORTS = "30000-32767";

/** Every resource with its store, and what its requests pass through on the way there. */
export interface Registry {
  /** What is served. */
  readonly resources: ResourceSet;
  readonly stores: StoreRegistry;
  /** The ways to nodes and pods. */
  readonly network: ClusterNetwork;
  /** The ways to Services. */
  readonly addresses: ServiceResolver;
  readonly webhooks: WebhookClient;
  readonly admission: AdmissionChain;
  /** What Services are given. */
  readonly allocations: AllocationMetrics;
}

/** Makes the resources and their stores. Rejects where what is stored, or a file of admission's, cannot be read. */
export async function startRegistry(
  options: KubeApiServerOptions,
  lazy: LazyStores,
  security: Security,
  storage: Storage,
): Promise<Registry> {
  const { clock, random, logger = silentLogger } = options;
  const { authorizer } = security;
  const network = networkOf(options);
  const allocations = new AllocationMetrics();
  const resources = resourcesOf(options, lazy, { security, storage, network, allocations });
  const addresses = serviceAddresses(lazy.stores, random);
  const webhooks = new WebhookClient(clock, addresses);
  const stores = lazy.registry;
  const admission = await startAdmission(options.admission ?? {}, { authorizer, webhooks, stores, clock, random });
  const registry = await createStores({
    resources,
    kv: storage.kv,
    clock,
    random,
    schemaFor,
    settings: storage.settings,
    onUnreadable: (key, error) => logger.error({ key, err: error }, "a stored object cannot be read"),
    admission: [
      paramAccessCheck(authorizer, servedResources(stores)),
      ...admission.plugins,
      rbacEscalationCheck(security.authorization.rbac, authorizer),
      ...(options.allowPrivileged === false ? [denyPrivilegedContainers] : []),
    ],
  });
  lazy.set(registry);
  return { resources, stores: registry, network, addresses, webhooks, admission, allocations };
}

interface ResourceModules {
  readonly security: Security;
  readonly storage: Storage;
  readonly network: ClusterNetwork;
  readonly allocations: AllocationMetrics;
}

/** The built-in resources in the versions that are asked for. */
function resourcesOf(options: KubeApiServerOptions, { stores }: LazyStores, modules: ResourceModules): ResourceSet {
  const { clock, random, logger = silentLogger, eventTtlSeconds, runtimeConfig = new RuntimeConfig() } = options;
  const { security, storage, network, allocations } = modules;
  const everything = builtInResources({
    stores,
    network,
    clock,
    random,
    serviceRanges: parseServiceRanges(options.serviceClusterIpRange),
    serviceNodePortRange: options.serviceNodePortRange ?? NODE_PORTS,
    allocations,
    ...(eventTtlSeconds === undefined ? {} : { eventTtlSeconds }),
    ...(storage.kv.features.shared && { sharedStore: storage.kv }),
    serviceAccountToken: tokenSubresource({ ...security.authentication.tokenRequests, stores, clock }),
    virtual: virtualResources(options, stores, modules),
  });
  storage.knows(everything);
  for (const { group, resource } of storage.settings.overrides ?? []) {
    if (everything.stored.some((stored) => stored.group === group && stored.plural === resource)) continue;
    logger.warn({ group, resource }, "--etcd-servers-overrides names a resource that is not built in");
  }
  const served = servedVersions(everything, runtimeConfig, [thirdPartyResources(stores)]);
  warnOfUnserved(runtimeConfig, served, logger);
  return served;
}

/** What is computed instead of stored. */
function virtualResources(
  { clock, componentHealth }: KubeApiServerOptions,
  stores: LazyStores["stores"],
  { security: { authentication, authorization, authorizer }, storage: { databases } }: ResourceModules,
): readonly VirtualResource[] {
  return [
    bindings({ stores, clock }),
    ...accessReviews({ authorizer, clock }),
    selfSubjectRulesReviews(authorization.rules, authorization.rulesGap),
    selfSubjectReviews(clock),
    tokenReviews(authentication.tokens, clock),
    componentStatuses({ ...storeHealth(databases), ...componentHealth }),
  ];
}

function networkOf({ clock, assets, kubelet, network, maxConnectionBytesPerSecond }: KubeApiServerOptions): ClusterNetwork {
  return clusterNetwork({
    clock,
    kubelet: { ...assets.kubeletClient, ...kubelet },
    dialer: network,
    maxBytesPerSecond: maxConnectionBytesPerSecond,
  });
}
