import { formatTime } from "#apimachinery/meta/time.ts";
import type { RequestHeaderNames } from "#apiserver/authentication/request-header.ts";
import type { ResourceSet, Stores } from "#apiserver/registry/resource-set.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import type { Clock } from "#base/clock.ts";
import { localApiService } from "./api-services.ts";
import { defaultFlowSchemas, defaultPriorityLevels } from "./flow-control.ts";
import {
  type AdvertisedAddress,
  kubernetesEndpointSlice,
  kubernetesEndpoints,
  kubernetesService,
  kubernetesServiceCidr,
} from "./kubernetes-service.ts";
import { defaultClusterRoleBindings } from "./rbac/cluster-role-bindings.ts";
import { defaultClusterRoles, trustBundlePublisherRole } from "./rbac/cluster-roles.ts";
import { defaultRoleBindings, defaultRoles } from "./rbac/namespaced-roles.ts";
import { ensure, ensureContains, ensureEqual } from "./reconcile.ts";
import { ensureServiceCidr } from "./service-cidr.ts";

/** What the objects that a cluster begins with depend on. */
export interface BootstrapOptions {
  readonly stores: Stores;
  readonly resources: ResourceSet;
  readonly clock: Clock;
  readonly context: RequestContext;
  readonly address: AdvertisedAddress;
  /** PEM texts for `extension-apiserver-authentication`. */
  readonly clientCa: string;
  readonly requestHeaderCa: string;
  /** Names that proxies may have, and where they write whom they ask for. */
  readonly proxyNames: readonly string[];
  readonly requestHeaders: RequestHeaderNames;
  /** Enters this server in the endpoints of `default/kubernetes`; it is the only one when absent. */
  readonly enterEndpoints?: () => Promise<void>;
}

const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];

const PRIORITY_CLASSES = [
  {
    name: "system-node-critical",
    value: 2_000_001_000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
  {
    name: "system-cluster-critical",
    value: 2_000_000_000,
    description: "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
];

/** Whether the cluster of this store has never been up. */
export function isNewCluster(stores: Stores): boolean {
  return stores.of("", "namespaces").cached("", "default") === undefined;
}

/** The namespaces that every cluster has. Existing ones are kept. */
export async function bootstrapNamespaces({ stores, context }: Pick<BootstrapOptions, "stores" | "context">): Promise<void> {
  const namespace = (name: string): object => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  await Promise.all(NAMESPACES.map((name) => ensure(stores, "", "namespaces", namespace(name), context)));
}

/** Objects without which the first request may fail: namespaces, RBAC, Service `kubernetes`. Existing ones are kept or mended. */
export async function bootstrapEssentials(options: BootstrapOptions): Promise<void> {
  const { stores, resources, context, address } = options;
  await bootstrapNamespaces(options);
  const hasBundles = resources.stored.some(({ plural }) => plural === "clustertrustbundles");
  const roles = [...defaultClusterRoles(), ...(hasBundles ? [trustBundlePublisherRole()] : [])];
  const bindings = defaultClusterRoleBindings(roles.map((role) => role.metadata.name ?? ""));
  await Promise.all([
    ...roles.map((role) => ensureContains(stores, "clusterroles", role, "rules", context)),
    ...bindings.map((binding) => ensureContains(stores, "clusterrolebindings", binding, "subjects", context)),
    ...defaultRoles().map((role) => ensureContains(stores, "roles", role, "rules", context)),
    ...defaultRoleBindings().map((binding) => ensureContains(stores, "rolebindings", binding, "subjects", context)),
    ensure(stores, "", "services", kubernetesService(address), context),
  ]);
}

/** The remaining system objects, which may come while requests are served already. */
export async function bootstrapRest(options: BootstrapOptions): Promise<void> {
  const { stores, context, address } = options;
  const now = formatTime(options.clock.now());
  await Promise.all([
    options.enterEndpoints === undefined ? enterAlone(options) : options.enterEndpoints(),
    publishAuthorities(options),
    ensureServiceCidr(stores, kubernetesServiceCidr(address, now), context),
    ...PRIORITY_CLASSES.map((entry) => ensure(stores, "scheduling.k8s.io", "priorityclasses", priorityClass(entry), context)),
    ...defaultPriorityLevels().map((level) =>
      ensure(stores, "flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", level, context),
    ),
    ...defaultFlowSchemas(now).map((schema) => ensure(stores, "flowcontrol.apiserver.k8s.io", "flowschemas", schema, context)),
    ...servedVersions(options.resources).map(([group, version]) =>
      ensure(stores, "apiregistration.k8s.io", "apiservices", localApiService(group, version, now), context),
    ),
  ]);
}

/** Tells extension API servers whose certificates to believe; again when these are others. */
export async function publishAuthorities(options: BootstrapOptions): Promise<void> {
  await ensureEqual(options.stores, "", "configmaps", extensionAuthentication(options), ["data"], options.context);
}

/** Where nobody else can be, nothing has to be found out. */
async function enterAlone({ stores, context, address: { ip, port } }: BootstrapOptions): Promise<void> {
  const slice = kubernetesEndpointSlice([ip], port);
  await Promise.all([
    ensureEqual(stores, "", "endpoints", kubernetesEndpoints([ip], port), ["subsets"], context),
    ensureEqual(stores, "discovery.k8s.io", "endpointslices", slice, ["endpoints", "ports"], context),
  ]);
}

function priorityClass({ name, value, description }: (typeof PRIORITY_CLASSES)[number]): object {
  return {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name },
    value,
    description,
    preemptionPolicy: "PreemptLowerPriority",
  };
}

/** What an extension API server needs to trust requests that come through this one. */
function extensionAuthentication({ clientCa, requestHeaderCa, proxyNames, requestHeaders }: BootstrapOptions): object {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "extension-apiserver-authentication", namespace: "kube-system" },
    data: {
      ...(clientCa !== "" && { "client-ca-file": clientCa }),
      // Where nobody may be a proxy, nothing is said of proxies.
      ...(requestHeaderCa !== "" && {
        "requestheader-allowed-names": JSON.stringify(proxyNames),
        "requestheader-client-ca-file": requestHeaderCa,
        "requestheader-extra-headers-prefix": JSON.stringify(requestHeaders.extraPrefix),
        "requestheader-group-headers": JSON.stringify(requestHeaders.group),
        "requestheader-username-headers": JSON.stringify(requestHeaders.username),
      }),
    },
  };
}

/** Every group and version that has a resource, once. */
function servedVersions({ stored, virtual }: ResourceSet): (readonly [group: string, version: string])[] {
  const pairs = [
    ...stored.flatMap((d) => [
      ...(d.storageVersionServed === false ? [] : [[d.group, d.version] as const]),
      ...(d.otherVersions ?? []).map((v) => [v.group ?? d.group, v.version] as const),
    ]),
    ...virtual.map((d) => [d.group, d.version] as const),
  ];
  return [...new Map(pairs.map((pair) => [pair.join("/"), pair])).values()];
}
