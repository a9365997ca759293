import type { AmountTexts, KubeletConfiguration, KubeletConfigurationPart } from "./kubelet-configuration.ts";

/** Where a machine's own resolver is configured. */
const RESOLV_CONF = "/etc/resolv.conf";
const ZERO_SECONDS = "0s";

/** Signals on which a kubelet evicts pods where nothing else is said (upstream's `eviction.DefaultEvictionHard` on Linux). */
export const DEFAULT_EVICTION_HARD: AmountTexts = {
  "memory.available": "100Mi",
  "nodefs.available": "10%",
  "nodefs.inodesFree": "5%",
  "imagefs.available": "15%",
  "imagefs.inodesFree": "5%",
};

/** Counts and texts whose zero says nothing, as upstream's that are no pointers. */
const OF_ZERO = {
  address: "0.0.0.0",
  port: 10250,
  registryBurst: 10,
  eventBurst: 100,
  healthzBindAddress: "127.0.0.1",
  nodeLeaseDurationSeconds: 40,
  cgroupDriver: "cgroupfs",
  cpuManagerPolicy: "none",
  memoryManagerPolicy: "None",
  topologyManagerPolicy: "none",
  topologyManagerScope: "container",
  hairpinMode: "promiscuous-bridge",
  maxPods: 110,
  maxOpenFiles: 1_000_000,
  contentType: "application/vnd.kubernetes.protobuf",
  kubeAPIBurst: 100,
  containerLogMaxSize: "10Mi",
  configMapAndSecretChangeDetectionStrategy: "Watch",
  volumePluginDir: "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/",
  podLogsDir: "/var/log/pods",
  imagePullCredentialsVerificationPolicy: "NeverVerifyPreloadedImages",
  memoryReservationPolicy: "None",
} as const;

/** Lengths of time, of which a zero says nothing either. */
const OF_ZERO_TIME = {
  syncFrequency: "1m0s",
  fileCheckFrequency: "20s",
  httpCheckFrequency: "20s",
  streamingConnectionIdleTimeout: "4h0m0s",
  imageMinimumGCAge: "2m0s",
  volumeStatsAggPeriod: "1m0s",
  cpuManagerReconcilePeriod: "10s",
  runtimeRequestTimeout: "2m0s",
  evictionPressureTransitionPeriod: "5m0s",
  shutdownGracePeriod: ZERO_SECONDS,
  shutdownGracePeriodCriticalPods: ZERO_SECONDS,
  imageMaximumGCAge: ZERO_SECONDS,
} as const;

/** What is taken where nothing is said; a zero is a setting. */
const OF_ABSENT = {
  enableServer: true,
  registryPullQPS: 5,
  eventRecordQPS: 50,
  enableDebuggingHandlers: true,
  healthzPort: 10248,
  oomScoreAdj: -999,
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  cgroupsPerQOS: true,
  resolvConf: RESOLV_CONF,
  cpuCFSQuota: true,
  cpuCFSQuotaPeriod: "100ms",
  nodeStatusMaxImages: 50,
  kubeAPIQPS: 50,
  mergeDefaultEvictionSettings: false,
  enableControllerAttachDetach: true,
  makeIPTablesUtilChains: true,
  iptablesMasqueradeBit: 14,
  iptablesDropBit: 15,
  failSwapOn: true,
  containerLogMaxFiles: 5,
  containerLogMaxWorkers: 1,
  containerLogMonitorInterval: "10s",
  enforceNodeAllocatable: ["pods"] as readonly string[],
  enableSystemLogHandler: true,
  enableProfilingHandler: true,
  enableDebugFlagsHandler: true,
  seccompDefault: false,
  failCgroupV1: false,
  memoryThrottlingFactor: 0.9,
  registerNode: true,
  localStorageCapacityIsolation: true,
  // The first usual socket that is there, and not upstream's single one.
  containerRuntimeEndpoint: "",
} as const;

const LOGGING = {
  format: "text",
  flushFrequency: "5s",
  verbosity: 0,
  options: { text: { infoBufferSize: "0" }, json: { infoBufferSize: "0" } },
} as const;

/** Fills in what nothing is said of (upstream's `SetDefaults_KubeletConfiguration` for v1beta1). */
export function withDefaults(part: KubeletConfigurationPart): KubeletConfiguration {
  const said = Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined));
  const given = (names: object, isUnset: (value: unknown) => boolean): object =>
    Object.fromEntries(Object.entries(names).filter(([name]) => isUnset(said[name])));
  return {
    ...said,
    ...given(OF_ZERO, (value) => value === undefined || value === 0 || value === ""),
    ...given(OF_ZERO_TIME, isZeroTime),
    ...given(OF_ABSENT, (value) => value === undefined),
    ...nodeStatusFrequencies(part),
    ...imagePulls(part),
    ...evictionSettings(part),
    podPidsLimit: Math.max(-1, part.podPidsLimit ?? -1),
    authentication: {
      x509: withoutUndefined(part.authentication?.x509 ?? {}),
      webhook: {
        enabled: part.authentication?.webhook?.enabled ?? true,
        cacheTTL: timeOr(part.authentication?.webhook?.cacheTTL, "2m0s"),
      },
      anonymous: { enabled: part.authentication?.anonymous?.enabled ?? false },
    },
    authorization: {
      mode: part.authorization?.mode || "Webhook",
      webhook: {
        cacheAuthorizedTTL: timeOr(part.authorization?.webhook?.cacheAuthorizedTTL, "5m0s"),
        cacheUnauthorizedTTL: timeOr(part.authorization?.webhook?.cacheUnauthorizedTTL, "30s"),
      },
    },
    logging: { ...LOGGING, ...part.logging },
    memorySwap: withoutUndefined(part.memorySwap ?? {}),
    crashLoopBackOff: withoutUndefined(part.crashLoopBackOff ?? {}),
  } as unknown as KubeletConfiguration;
}

/** A report is due as often as a look, where that was said and the report was not. */
function nodeStatusFrequencies(part: KubeletConfigurationPart): object {
  const update = timeOr(part.nodeStatusUpdateFrequency, "10s");
  const saidUpdate = !isZeroTime(part.nodeStatusUpdateFrequency);
  const report = timeOr(part.nodeStatusReportFrequency, saidUpdate ? update : "5m0s");
  return { nodeStatusUpdateFrequency: update, nodeStatusReportFrequency: report };
}

function imagePulls({ serializeImagePulls, maxParallelImagePulls }: KubeletConfigurationPart): object {
  return { serializeImagePulls: serializeImagePulls ?? (maxParallelImagePulls ?? 0) < 2 };
}

/** Signals that are not named are off as soon as one is, unless the defaults are to be merged in. */
function evictionSettings({ evictionHard, mergeDefaultEvictionSettings }: KubeletConfigurationPart): object {
  if (evictionHard === undefined) return { evictionHard: DEFAULT_EVICTION_HARD };
  return mergeDefaultEvictionSettings === true ? { evictionHard: { ...DEFAULT_EVICTION_HARD, ...evictionHard } } : {};
}

function timeOr(value: string | undefined, fallback: string): string {
  return value === undefined || isZeroTime(value) ? fallback : value;
}

function isZeroTime(value: unknown): boolean {
  return value === undefined || value === "" || (typeof value === "string" && /^[+-]?(0[a-z\u00b5\u03bc]*)+$/.test(value));
}

function withoutUndefined(part: object): object {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined));
}
