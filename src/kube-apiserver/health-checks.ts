import type { HealthCheck } from "#apiserver/health/health-checks.ts";

/** How one store is asked whether it is well. */
export interface StoreChecks {
  /** Rejects when it cannot serve. */
  readonly check: () => Promise<void>;
  /** The same, for as long as readiness may take. */
  readonly checkReady: () => Promise<void>;
}

/** What health depends on. */
export interface HealthSources {
  /** The server's store, and then those that keep some resources in its place. */
  readonly stores: readonly StoreChecks[];
  /** Whether the objects that a cluster begins with are there. */
  readonly isBootstrapped: () => boolean;
  readonly isStopping: () => boolean;
  /** What else must be well. */
  readonly more?: readonly HealthCheck[];
}

/** What upstream starts after it listens, in the order in which its health endpoints list it. */
const POST_START_HOOKS = [
  "poststarthook/start-apiserver-admission-initializer",
  "poststarthook/generic-apiserver-start-informers",
  "poststarthook/priority-and-fairness-config-consumer",
  "poststarthook/priority-and-fairness-filter",
  "poststarthook/storage-object-count-tracker-hook",
  "poststarthook/start-apiextensions-informers",
  "poststarthook/start-apiextensions-controllers",
  "poststarthook/crd-informer-synced",
  "poststarthook/start-system-namespaces-controller",
  "poststarthook/peer-endpoint-reconciler-controller",
  "poststarthook/start-cluster-authentication-info-controller",
  "poststarthook/start-kube-apiserver-identity-lease-controller",
  "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
  "poststarthook/storage-readiness",
  "poststarthook/start-legacy-token-tracking-controller",
  "poststarthook/start-service-ip-repair-controllers",
  "poststarthook/rbac/bootstrap-roles",
  "poststarthook/scheduling/bootstrap-system-priority-classes",
  "poststarthook/priority-and-fairness-config-producer",
  "poststarthook/bootstrap-controller",
  "poststarthook/start-kubernetes-service-cidr-controller",
  "poststarthook/aggregator-reload-proxy-client-cert",
  "poststarthook/start-kube-aggregator-informers",
  "poststarthook/apiservice-status-local-available-controller",
  "poststarthook/apiservice-status-remote-available-controller",
  "poststarthook/apiservice-registration-controller",
  "poststarthook/apiservice-wait-for-first-sync",
  "poststarthook/apiservice-discovery-controller",
  "poststarthook/kube-apiserver-autoregistration",
  "autoregister-completion",
  "poststarthook/apiservice-openapi-controller",
  "poststarthook/apiservice-openapiv3-controller",
];

/** The checks of `/healthz` and `/livez`. */
export function liveChecks(sources: HealthSources): readonly HealthCheck[] {
  return [
    always("ping"),
    always("log"),
    always("loopback-serving-certificate"),
    ...storeChecks(sources, (i, { check }) => [{ name: etcdCheck(i), check }]),
    ...(sources.more ?? []),
    ...hooks(sources),
  ];
}

/** The checks of `/readyz`. */
export function readyChecks(sources: HealthSources): readonly HealthCheck[] {
  return [
    always("ping"),
    always("log"),
    ...storeChecks(sources, (i, { check, checkReady }) => [
      { name: etcdCheck(i), check },
      { name: i === 0 ? "etcd-readiness" : `etcd-override-readiness-${i - 1}`, check: checkReady },
    ]),
    ...(sources.more ?? []),
    always("informer-sync"),
    ...hooks(sources),
    { name: "shutdown", check: () => failIf(sources.isStopping(), "process is shutting down") },
  ];
}

/** As upstream's `--etcd-servers-overrides` are told. */
function etcdCheck(i: number): string {
  return i === 0 ? "etcd" : `etcd-override-${i - 1}`;
}

function storeChecks(
  { stores }: HealthSources,
  checksOf: (i: number, store: StoreChecks) => readonly HealthCheck[],
): readonly HealthCheck[] {
  return stores.flatMap((store, i) => checksOf(i, store));
}

function hooks({ isBootstrapped }: HealthSources): readonly HealthCheck[] {
  return POST_START_HOOKS.map((name) => ({ name, check: () => failIf(!isBootstrapped(), "not finished") }));
}

function always(name: string): HealthCheck {
  return { name, check: () => {} };
}

function failIf(failing: boolean, reason: string): void {
  if (failing) throw new Error(reason);
}
