import { ConversionMetrics } from "#apiextensions-apiserver/conversion/conversion-metrics.ts";
import { ServingProgress } from "#apiextensions-apiserver/serving-progress.ts";
import { derived } from "#apiserver/derived.ts";
import { type ServedGroup, servedGroups } from "#apiserver/discovery/served-groups.ts";
import { silentLogger } from "#component-base/logging.ts";
import { Aggregator } from "#kube-aggregator/aggregator.ts";
import type { CertificatePair } from "#pki/key-pair.ts";
import { groupPriority } from "../bootstrap/api-services.ts";
import { type LoadDocuments, openApiDocuments } from "../openapi-routes.ts";
import { upstreamStorageVersion } from "../served-versions.ts";
import type { KubeApiServerOptions } from "../server-options.ts";
import type { Registry } from "./registry.ts";

/** Shown to nobody. */
const NO_CERTIFICATE: CertificatePair = { cert: "", key: "" };

/** The API as it is told to clients: built-in resources, custom ones and those of other servers. */
export interface PublishedApi {
  readonly aggregator: Aggregator;
  readonly documents: LoadDocuments;
  readonly groups: () => readonly ServedGroup[];
  servesGroup(group: string): boolean;
  /** Which definitions of custom resources are not served yet. */
  readonly progress: ServingProgress;
  readonly conversionMetrics: ConversionMetrics;
  /** What a request for a group, or for discovery, should wait for; undefined when all is there. */
  pendingResources(group: string | undefined): Promise<void> | undefined;
}

/** What is told of a registry. `isShared`: other servers write to its store. */
export function publishApi(
  { clock, assets, logger = silentLogger }: KubeApiServerOptions,
  { stores, resources, addresses }: Registry,
  { isShared }: { readonly isShared: boolean },
): PublishedApi {
  const aggregator = new Aggregator({
    clock,
    logger,
    resolver: addresses,
    ...(assets.frontProxyClient ?? NO_CERTIFICATE),
    stores: () => stores,
  });
  const groups = derived(
    () => stores.version + aggregator.version(),
    () => aggregator.merge(servedGroups(stores.resources, groupPriority, upstreamStorageVersion)),
  );
  const servesGroup = (group: string): boolean => groups().some(({ name }) => name === group);
  const progress = new ServingProgress(stores.generic("apiextensions.k8s.io", "customresourcedefinitions"), clock);
  stores.pending = (group, plural) => progress.pending(group, plural);
  return {
    aggregator,
    documents: openApiDocuments(resources, () => stores.resources),
    groups,
    servesGroup,
    progress,
    conversionMetrics: new ConversionMetrics(),
    pendingResources: (group) => {
      const pending = progress.pending(group);
      if (pending !== undefined || group === undefined || !isShared || servesGroup(group)) return pending;
      // Another server may know of it already.
      return stores.cache.catchUp()?.then(() => progress.pending(group));
    },
  };
}
