import type { Taint } from "#api/generated/core/v1.ts";

/** A length of time as Go writes it (`1m30s`); `parseGoDuration` gives its milliseconds. */
export type Duration = string;

/** Amounts by name, in the text of flags and files: `cpu: 200m`, `memory.available: 100Mi`, `nodefs.inodesFree: 5%`. */
export type AmountTexts = Readonly<Record<string, string>>;

/** Who may ask the kubelet, of `kubelet.config.k8s.io/v1beta1`. */
export interface KubeletAuthentication {
  readonly x509: { readonly clientCAFile?: string };
  readonly webhook: { readonly enabled: boolean; readonly cacheTTL: Duration };
  readonly anonymous: { readonly enabled: boolean };
}

/** Who decides what they may. */
export interface KubeletAuthorization {
  readonly mode: "AlwaysAllow" | "Webhook";
  readonly webhook: { readonly cacheAuthorizedTTL: Duration; readonly cacheUnauthorizedTTL: Duration };
}

/** How long pods of a priority may take to end when the machine goes down. */
export interface ShutdownGracePeriodByPodPriority {
  readonly priority: number;
  readonly shutdownGracePeriodSeconds: number;
}

/** Memory of a NUMA node that is kept back. */
export interface MemoryReservation {
  readonly numaNode: number;
  readonly limits: AmountTexts;
}

/**
 * What a kubelet goes by: upstream's `kubelet.config.k8s.io/v1beta1`, field by field, with the defaults filled in. A field
 * that has no default may be absent.
 */
export interface KubeletConfiguration {
  readonly enableServer: boolean;
  readonly staticPodPath?: string;
  readonly podLogsDir: string;
  readonly syncFrequency: Duration;
  readonly fileCheckFrequency: Duration;
  readonly httpCheckFrequency: Duration;
  readonly staticPodURL?: string;
  readonly staticPodURLHeader?: Readonly<Record<string, readonly string[]>>;
  readonly address: string;
  readonly port: number;
  /** 0 or absent: none. */
  readonly readOnlyPort?: number;
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  readonly tlsCipherSuites?: readonly string[];
  readonly tlsCurvePreferences?: readonly number[];
  readonly tlsMinVersion?: string;
  readonly rotateCertificates?: boolean;
  readonly serverTLSBootstrap?: boolean;
  readonly authentication: KubeletAuthentication;
  readonly authorization: KubeletAuthorization;
  readonly registryPullQPS: number;
  readonly registryBurst: number;
  readonly imagePullCredentialsVerificationPolicy: string;
  readonly preloadedImagesVerificationAllowlist?: readonly string[];
  readonly eventRecordQPS: number;
  readonly eventBurst: number;
  readonly enableDebuggingHandlers: boolean;
  readonly enableContentionProfiling?: boolean;
  readonly healthzPort: number;
  readonly healthzBindAddress: string;
  readonly oomScoreAdj: number;
  readonly clusterDomain?: string;
  readonly clusterDNS?: readonly string[];
  readonly streamingConnectionIdleTimeout: Duration;
  readonly nodeStatusUpdateFrequency: Duration;
  readonly nodeStatusReportFrequency: Duration;
  readonly nodeLeaseDurationSeconds: number;
  readonly imageMinimumGCAge: Duration;
  readonly imageMaximumGCAge?: Duration;
  readonly imageGCHighThresholdPercent: number;
  readonly imageGCLowThresholdPercent: number;
  readonly volumeStatsAggPeriod: Duration;
  readonly kubeletCgroups?: string;
  readonly systemCgroups?: string;
  readonly cgroupRoot?: string;
  readonly cgroupsPerQOS: boolean;
  readonly cgroupDriver: "cgroupfs" | "systemd";
  readonly cpuManagerPolicy: string;
  readonly singleProcessOOMKill?: boolean;
  readonly cpuManagerPolicyOptions?: Readonly<Record<string, string>>;
  readonly cpuManagerReconcilePeriod: Duration;
  readonly memoryManagerPolicy: string;
  readonly topologyManagerPolicy: string;
  readonly topologyManagerScope: string;
  readonly topologyManagerPolicyOptions?: Readonly<Record<string, string>>;
  readonly qosReserved?: Readonly<Record<string, string>>;
  readonly runtimeRequestTimeout: Duration;
  readonly hairpinMode: string;
  readonly maxPods: number;
  readonly podCIDR?: string;
  /** -1: as many as the node has room for. */
  readonly podPidsLimit: number;
  readonly resolvConf: string;
  readonly runOnce?: boolean;
  readonly cpuCFSQuota: boolean;
  readonly cpuCFSQuotaPeriod: Duration;
  readonly nodeStatusMaxImages: number;
  readonly maxOpenFiles: number;
  readonly contentType: string;
  readonly kubeAPIQPS: number;
  readonly kubeAPIBurst: number;
  readonly serializeImagePulls: boolean;
  readonly maxParallelImagePulls?: number;
  readonly evictionHard?: AmountTexts;
  readonly evictionSoft?: AmountTexts;
  readonly evictionSoftGracePeriod?: Readonly<Record<string, Duration>>;
  readonly evictionPressureTransitionPeriod: Duration;
  readonly evictionMaxPodGracePeriod?: number;
  readonly evictionMinimumReclaim?: AmountTexts;
  readonly mergeDefaultEvictionSettings: boolean;
  readonly podsPerCore?: number;
  readonly enableControllerAttachDetach: boolean;
  readonly protectKernelDefaults?: boolean;
  readonly makeIPTablesUtilChains: boolean;
  readonly iptablesMasqueradeBit: number;
  readonly iptablesDropBit: number;
  readonly featureGates?: Readonly<Record<string, boolean>>;
  readonly failSwapOn: boolean;
  readonly memorySwap: { readonly swapBehavior?: string };
  readonly containerLogMaxSize: string;
  readonly containerLogMaxFiles: number;
  readonly containerLogMaxWorkers: number;
  readonly containerLogMonitorInterval: Duration;
  readonly configMapAndSecretChangeDetectionStrategy: string;
  readonly systemReserved?: AmountTexts;
  readonly kubeReserved?: AmountTexts;
  readonly reservedSystemCPUs?: string;
  readonly showHiddenMetricsForVersion?: string;
  readonly systemReservedCgroup?: string;
  readonly kubeReservedCgroup?: string;
  readonly enforceNodeAllocatable: readonly string[];
  readonly allowedUnsafeSysctls?: readonly string[];
  readonly defaultPodSysctls?: Readonly<Record<string, string>>;
  readonly volumePluginDir: string;
  readonly providerID?: string;
  readonly kernelMemcgNotification?: boolean;
  readonly logging: Readonly<Record<string, unknown>>;
  readonly enableSystemLogHandler: boolean;
  readonly enableSystemLogQuery?: boolean;
  readonly shutdownGracePeriod: Duration;
  readonly shutdownGracePeriodCriticalPods: Duration;
  readonly shutdownGracePeriodByPodPriority?: readonly ShutdownGracePeriodByPodPriority[];
  readonly crashLoopBackOff: { readonly maxContainerRestartPeriod?: Duration };
  readonly reservedMemory?: readonly MemoryReservation[];
  readonly enableProfilingHandler: boolean;
  readonly enableDebugFlagsHandler: boolean;
  readonly seccompDefault: boolean;
  readonly memoryThrottlingFactor: number;
  readonly memoryReservationPolicy?: string;
  readonly registerWithTaints?: readonly Taint[];
  readonly registerNode: boolean;
  readonly tracing?: Readonly<Record<string, unknown>>;
  readonly localStorageCapacityIsolation: boolean;
  /** Empty: the first usual socket that is there. */
  readonly containerRuntimeEndpoint: string;
  readonly imageServiceEndpoint?: string;
  readonly failCgroupV1: boolean;
  readonly userNamespaces?: { readonly idsPerPod?: number };
}

/** What one file or the command line says of a {@link KubeletConfiguration}: any part of it. */
export type KubeletConfigurationPart = PartOf<KubeletConfiguration>;

type PartOf<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? string extends keyof T
      ? T
      : { readonly [K in keyof T]?: PartOf<T[K]> | undefined }
    : T;
