import { ConfigurationError, type ConfigurationKind, durationMs, readConfiguration } from "#apiserver/configuration-file.ts";
import {
  type ConntrackConfiguration,
  DEFAULT_CONFIGURATION,
  type DetectLocalMode,
  type ModeConfiguration,
  PROXY_HEALTHZ_PORT,
  PROXY_METRICS_PORT,
  type ProxyConfiguration,
  type ProxyMode,
} from "#kube-proxy/configuration/proxy-configuration.ts";
import { validateConfiguration } from "#kube-proxy/configuration/validate-configuration.ts";
import { withPort } from "./flags.ts";

/** Where the kind stands in the API of configurations. */
export const PROXY_CONFIGURATION_GROUP = "kubeproxy.config.k8s.io";
const API_VERSION = `${PROXY_CONFIGURATION_GROUP}/v1alpha1`;
const KIND_NAME = "KubeProxyConfiguration";

const MODE_FIELDS = {
  masqueradeBit: "any",
  masqueradeAll: "flag",
  syncPeriod: "duration",
  minSyncPeriod: "duration",
} as const;

const KIND: ConfigurationKind = {
  kind: KIND_NAME,
  apiVersions: [API_VERSION],
  fields: {
    featureGates: "any",
    clientConnection: {
      fields: { kubeconfig: "text", acceptContentTypes: "text", contentType: "text", qps: "any", burst: "any" },
    },
    logging: "any",
    hostnameOverride: "text",
    bindAddress: "text",
    healthzBindAddress: "text",
    metricsBindAddress: "text",
    bindAddressHardFail: "flag",
    enableProfiling: "flag",
    showHiddenMetricsForVersion: "text",
    mode: "text",
    iptables: { fields: { ...MODE_FIELDS, localhostNodePorts: "flag" } },
    nftables: { fields: MODE_FIELDS },
    // Of modes that are not here; upstream's own tools write them out in every file.
    ipvs: "any",
    winkernel: "any",
    windowsRunAsService: "flag",
    detectLocalMode: "text",
    detectLocal: { fields: { bridgeInterface: "text", interfaceNamePrefix: "text" } },
    clusterCIDR: "text",
    nodePortAddresses: "texts",
    oomScoreAdj: "any",
    conntrack: {
      fields: {
        maxPerCore: "any",
        min: "any",
        tcpEstablishedTimeout: "duration",
        tcpCloseWaitTimeout: "duration",
        tcpBeLiberal: "flag",
        udpTimeout: "duration",
        udpStreamTimeout: "duration",
      },
    },
    configSyncPeriod: "duration",
    portRange: "text",
  },
};

type Section = Readonly<Record<string, unknown>>;

/** Reads `--config` with upstream's defaults. Throws a {@link ConfigurationError} for what is no such file, or makes no sense. */
export function readProxyConfiguration(content: string, path: string): ProxyConfiguration {
  const given = readConfiguration(content, path, KIND);
  const section = (name: string): Section => (given[name] ?? {}) as Section;
  const texts = <T extends string = string>(from: Section, name: string, fallback: T): T => ((from[name] ?? "") as T) || fallback;
  const bindAddress = texts(given, "bindAddress", DEFAULT_CONFIGURATION.bindAddress);
  const [everywhere, here] = bindAddress.includes(":") ? ["[::]", "[::1]"] : ["0.0.0.0", "127.0.0.1"];
  const { iptables, nftables, conntrack, detectLocalMode, oomScoreAdj } = DEFAULT_CONFIGURATION;
  const number = numbersOf(path);
  const configuration: ProxyConfiguration = {
    mode: texts<ProxyMode | "">(given, "mode", ""),
    hostnameOverride: texts(given, "hostnameOverride", ""),
    bindAddress,
    healthzBindAddress: withPort(texts(given, "healthzBindAddress", everywhere), PROXY_HEALTHZ_PORT),
    metricsBindAddress: withPort(texts(given, "metricsBindAddress", here), PROXY_METRICS_PORT),
    bindAddressHardFail: given.bindAddressHardFail === true,
    enableProfiling: given.enableProfiling === true,
    iptables: {
      ...modeSection("iptables", section("iptables"), iptables, number),
      localhostNodePorts: section("iptables").localhostNodePorts !== false,
    },
    nftables: modeSection("nftables", section("nftables"), nftables, number),
    detectLocalMode: texts<DetectLocalMode>(given, "detectLocalMode", detectLocalMode),
    detectLocal: {
      bridgeInterface: texts(section("detectLocal"), "bridgeInterface", ""),
      interfaceNamePrefix: texts(section("detectLocal"), "interfaceNamePrefix", ""),
    },
    clusterCIDR: texts(given, "clusterCIDR", ""),
    nodePortAddresses: (given.nodePortAddresses ?? []) as readonly string[],
    oomScoreAdj: number("oomScoreAdj", given.oomScoreAdj, oomScoreAdj),
    conntrack: conntrackSection(section("conntrack"), conntrack, number),
    kubeconfig: texts(section("clientConnection"), "kubeconfig", ""),
  };
  return validConfiguration(configuration, `${path}: `);
}

/** The configuration, where it makes sense. Throws a {@link ConfigurationError} that begins with `where`. */
export function validConfiguration(configuration: ProxyConfiguration, where = ""): ProxyConfiguration {
  const problems = validateConfiguration(configuration).map(({ field, message }) => `${field}: ${message}`);
  if (problems.length > 0) throw new ConfigurationError(`${where}${problems.join(", ")}`);
  return configuration;
}

type NumberReader = (field: string, value: unknown, fallback: number) => number;

function numbersOf(path: string): NumberReader {
  return (field, value, fallback) => {
    if (value === undefined || value === null) return fallback;
    if (Number.isInteger(value)) return Number(value);
    throw new ConfigurationError(`${path}: strict decoding error: ${field} must be a whole number`);
  };
}

function modeSection(name: string, given: Section, fallback: ModeConfiguration, number: NumberReader): ModeConfiguration {
  return {
    masqueradeBit: number(`${name}.masqueradeBit`, given.masqueradeBit, fallback.masqueradeBit),
    masqueradeAll: given.masqueradeAll === true,
    // As upstream: what is zero was not said.
    syncPeriodMs: durationMs(given.syncPeriod) || fallback.syncPeriodMs,
    minSyncPeriodMs: durationMs(given.minSyncPeriod) || fallback.minSyncPeriodMs,
  };
}

function conntrackSection(given: Section, fallback: ConntrackConfiguration, number: NumberReader): ConntrackConfiguration {
  return {
    maxPerCore: number("conntrack.maxPerCore", given.maxPerCore, fallback.maxPerCore),
    min: number("conntrack.min", given.min, fallback.min),
    tcpEstablishedTimeoutMs: durationMs(given.tcpEstablishedTimeout) ?? fallback.tcpEstablishedTimeoutMs,
    tcpCloseWaitTimeoutMs: durationMs(given.tcpCloseWaitTimeout) ?? fallback.tcpCloseWaitTimeoutMs,
    tcpBeLiberal: given.tcpBeLiberal === true,
    udpTimeoutMs: durationMs(given.udpTimeout) ?? fallback.udpTimeoutMs,
    udpStreamTimeoutMs: durationMs(given.udpStreamTimeout) ?? fallback.udpStreamTimeoutMs,
  };
}

/** The configuration as a file says it, and as `/configz` shows it. */
export function shownConfiguration(configuration: ProxyConfiguration): Readonly<Record<string, unknown>> {
  const { kubeconfig, conntrack, iptables, nftables, ...rest } = configuration;
  const mode = ({ syncPeriodMs, minSyncPeriodMs, ...other }: ModeConfiguration): Section => ({
    ...other,
    syncPeriod: goDuration(syncPeriodMs),
    minSyncPeriod: goDuration(minSyncPeriodMs),
  });
  return {
    apiVersion: API_VERSION,
    kind: KIND_NAME,
    ...rest,
    clientConnection: { kubeconfig, contentType: "application/json" },
    iptables: mode(iptables),
    nftables: mode(nftables),
    conntrack: {
      maxPerCore: conntrack.maxPerCore,
      min: conntrack.min,
      tcpEstablishedTimeout: goDuration(conntrack.tcpEstablishedTimeoutMs),
      tcpCloseWaitTimeout: goDuration(conntrack.tcpCloseWaitTimeoutMs),
      tcpBeLiberal: conntrack.tcpBeLiberal,
      udpTimeout: goDuration(conntrack.udpTimeoutMs),
      udpStreamTimeout: goDuration(conntrack.udpStreamTimeoutMs),
    },
  };
}

/** As Go writes whole seconds and less: 24h0m0s, 1m30s, 250ms. */
function goDuration(ms: number): string {
  if (ms < 1000) return ms === 0 ? "0s" : `${ms}ms`;
  const seconds = ms / 1000;
  const [hours, minutes, left] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (hours > 0) return `${hours}h${minutes}m${left}s`;
  return minutes > 0 ? `${minutes}m${left}s` : `${left}s`;
}
