import { expect, test } from "vitest";
import { type ParsedFlags, parseFlags } from "#component-base/flags.ts";
import { DEFAULT_CONFIGURATION } from "#kube-proxy/configuration/proxy-configuration.ts";
import { readProxyConfiguration, shownConfiguration, validConfiguration } from "./configuration.ts";
import { configurationOfFlags, type KubeProxyFlags, kubeProxyFlags } from "./flags.ts";

const HEADER = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";
const read = (text: string): typeof DEFAULT_CONFIGURATION => readProxyConfiguration(HEADER + text, "file");
const flags = (...args: string[]): typeof DEFAULT_CONFIGURATION =>
  configurationOfFlags(parseFlags(kubeProxyFlags, args) as ParsedFlags<typeof kubeProxyFlags> as KubeProxyFlags);

test("an empty file and no flags are the defaults", () => {
  expect(read("")).toEqual(DEFAULT_CONFIGURATION);
  expect(flags()).toEqual(DEFAULT_CONFIGURATION);
});

test("what kubeadm writes says nothing but the defaults", () => {
  const file = `bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection: {acceptContentTypes: "", burst: 0, contentType: "", kubeconfig: /var/lib/kube-proxy/kubeconfig.conf, qps: 0}
clusterCIDR: 10.244.0.0/16
configSyncPeriod: 0s
conntrack: {maxPerCore: null, min: null, tcpBeLiberal: false, tcpCloseWaitTimeout: null, tcpEstablishedTimeout: null, udpStreamTimeout: 0s, udpTimeout: 0s}
detectLocal: {bridgeInterface: "", interfaceNamePrefix: ""}
detectLocalMode: ""
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
iptables: {localhostNodePorts: null, masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 0s, syncPeriod: 0s}
ipvs: {excludeCIDRs: null, minSyncPeriod: 0s, scheduler: "", strictARP: false, syncPeriod: 0s, tcpFinTimeout: 0s, tcpTimeout: 0s, udpTimeout: 0s}
logging: {flushFrequency: 0, options: {json: {infoBufferSize: "0"}, text: {infoBufferSize: "0"}}, verbosity: 0}
metricsBindAddress: ""
mode: ""
nftables: {masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 0s, syncPeriod: 0s}
nodePortAddresses: null
oomScoreAdj: null
portRange: ""
showHiddenMetricsForVersion: ""
winkernel: {enableDSR: false, forwardHealthCheckVip: false, networkName: "", rootHnsEndpointName: "", sourceVip: ""}
`;
  expect(read(file)).toEqual({
    ...DEFAULT_CONFIGURATION,
    clusterCIDR: "10.244.0.0/16",
    kubeconfig: "/var/lib/kube-proxy/kubeconfig.conf",
  });
});

test.each([
  ["metricsBindAddress: 0.0.0.0", { metricsBindAddress: "0.0.0.0:10249" }],
  ["bindAddress: '::'", { healthzBindAddress: "[::]:10256", metricsBindAddress: "[::1]:10249" }],
  ["conntrack: {tcpEstablishedTimeout: 0s}", { conntrack: { ...DEFAULT_CONFIGURATION.conntrack, tcpEstablishedTimeoutMs: 0 } }],
  ["nodePortAddresses: [primary]", { nodePortAddresses: ["primary"] }],
  ["iptables: {localhostNodePorts: false}", { iptables: { ...DEFAULT_CONFIGURATION.iptables, localhostNodePorts: false } }],
])("a file with %s", (text, want) => {
  expect(read(text)).toMatchObject(want);
});

test.each([
  [["--proxy-mode=iptables", "--master=http://127.0.0.1:8080"], { mode: "iptables" }],
  [["--healthz-port=0"], { healthzBindAddress: "" }],
  [["--metrics-port=9999"], { metricsBindAddress: "127.0.0.1:9999" }],
  [["--metrics-bind-address="], { metricsBindAddress: "" }],
  [["--healthz-bind-address=::"], { healthzBindAddress: "[::]:10256" }],
  [["--masquerade_all", "--nftables-min-sync-period=0s"], { nftables: { masqueradeAll: true, minSyncPeriodMs: 0 } }],
  [["--nodeport-addresses=10.0.0.0/8,fd00::/64"], { nodePortAddresses: ["10.0.0.0/8", "fd00::/64"] }],
])("flags %j", (args, want) => {
  expect(flags(...args)).toMatchObject(want);
});

test.each([
  ["mode: ipvs", "KubeProxyConfiguration.Mode.ProxyMode: Invalid value"],
  ["healthzBindAddress: 'x:1'", 'KubeProxyConfiguration.HealthzBindAddress: Invalid value: "x": must be a valid IP'],
  ["metricsBindAddress: '127.0.0.1:99999'", "must be a valid port"],
  ["bindAddress: nowhere", "not a valid textual representation of an IP address"],
  ["iptables: {minSyncPeriod: 40s}", "KubeProxyConfiguration.SyncPeriod: Invalid value"],
  ["oomScoreAdj: 1001", "must be within the range [-1000, 1000]"],
  ["oomScoreAdj: high", "oomScoreAdj must be a whole number"],
  ["conntrack: {min: -1}", "KubeProxyConntrackConfiguration.Min: Invalid value: -1: must be greater than or equal to 0"],
  ["clusterCIDR: 10.0.0.0/8,10.1.0.0/16", "dual-stack pair of CIDRs"],
  ["clusterCIDR: pods", "must be a valid CIDR block"],
  ["detectLocalMode: BridgeInterface", "must not be empty"],
  ["detectLocalMode: Guess", 'Unsupported value: "Guess"'],
  ["nodePortAddresses: [10.0.0.0]", "must be a valid CIDR"],
  ["iptables: {masqueradeBits: 3}", 'unknown field "iptables.masqueradeBits"'],
])("%s is refused", (text, why) => {
  expect(() => read(text)).toThrow(why);
});

test("what is shown can be read again", () => {
  const configuration = validConfiguration({ ...DEFAULT_CONFIGURATION, mode: "nftables", clusterCIDR: "10.0.0.0/8" });
  const shown = shownConfiguration(configuration);
  expect(readProxyConfiguration(JSON.stringify(shown), "file")).toEqual(configuration);
  expect(shown).toMatchObject({ conntrack: { tcpEstablishedTimeout: "24h0m0s" }, iptables: { syncPeriod: "30s" } });
});
