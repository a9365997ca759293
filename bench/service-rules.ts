// kube-proxy on an API in memory: many Services, then one after another changes, each timed from the write to the end of the program
// that put it in place. Runs in a network namespace of its own. Arguments: the mode, the number of Services, the number of changes.
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { FakeClient } from "#client/fake-client.ts";
import { silentLogger } from "#component-base/logging.ts";
import { DEFAULT_CONFIGURATION, type ProxyMode } from "#kube-proxy/configuration/proxy-configuration.ts";
import type { RunResult } from "#kube-proxy/host.ts";
import { KubeProxy } from "#kube-proxy/kube-proxy.ts";
import { proxyHost } from "../src/cmd/kube-proxy/host.ts";

const [mode = "nftables", services = "1000", changes = "30"] = process.argv.slice(2);
const SERVICES: ResourceId = { group: "", version: "v1", resource: "services" };
const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
const SLICES: ResourceId = { group: "discovery.k8s.io", version: "v1", resource: "endpointslices" };
const NETWORKS: ResourceId = { group: "networking.k8s.io", version: "v1", resource: "servicecidrs" };

const client = new FakeClient({
  resources: [
    { id: SERVICES, kind: "Service", namespaced: true },
    { id: NODES, kind: "Node", namespaced: false },
    { id: SLICES, kind: "EndpointSlice", namespaced: true },
    { id: NETWORKS, kind: "ServiceCIDR", namespaced: false },
  ],
  clock: realClock,
  random: systemRandom,
});

const endpoints = (i: number, last: number): object[] => [
  { addresses: [`10.${1 + (i >> 8)}.${i & 255}.1`], conditions: { ready: true } },
  { addresses: [`10.${1 + (i >> 8)}.${i & 255}.${last}`], conditions: { ready: true } },
];
for (let i = 0; i < Number(services); i++) {
  const name = `service-${i}`;
  const clusterIP = `10.96.${i >> 8}.${i & 255}`;
  const spec = { clusterIP, clusterIPs: [clusterIP], ports: [{ name: "http", port: 80, protocol: "TCP" }] };
  await client.create(SERVICES, "default", { apiVersion: "v1", kind: "Service", metadata: { name }, spec });
  await client.create(SLICES, "default", {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, labels: { "kubernetes.io/service-name": name } },
    ...{ addressType: "IPv4", ports: [{ name: "http", port: 8080, protocol: "TCP" }], endpoints: endpoints(i, 2) },
  });
}

let told: () => void = () => {};
const run = async (program: string, args: readonly string[], input?: string): Promise<RunResult> => {
  const result = await proxyHost.run(program, args, input);
  const isWritten = (input ?? "").includes("service-") || /^-A KUBE-SVC/m.test(input ?? "");
  if (isWritten && !/ip6 |ip6tables/.test(`${program}${input}`)) told();
  return result;
};
const inPlace = (): Promise<void> =>
  new Promise((resolve) => {
    told = resolve;
  });

const fast = { minSyncPeriodMs: 0 };
const first = inPlace();
const started = performance.now();
const proxy = await KubeProxy.start({
  client,
  clock: realClock,
  random: systemRandom,
  logger: silentLogger,
  host: { ...proxyHost, run, writeSetting: async () => {}, writeModuleParameter: async () => {} },
  configuration: {
    ...DEFAULT_CONFIGURATION,
    mode: mode as ProxyMode,
    iptables: { ...DEFAULT_CONFIGURATION.iptables, ...fast },
    nftables: { ...DEFAULT_CONFIGURATION.nftables, ...fast },
  },
  nodeName: "node",
});
await first;
const firstMs = performance.now() - started;
// What waits to be removed would come into the figures.
await realClock.sleep(1_500);

const times: number[] = [];
const cpu = process.cpuUsage();
for (let n = 0; n < Number(changes); n++) {
  const i = n % Number(services);
  const done = inPlace();
  const at = performance.now();
  await client.patch(SLICES, "default", `service-${i}`, "application/merge-patch+json", {
    endpoints: endpoints(i, 3 + (n % 200)),
  });
  await done;
  times.push(performance.now() - at);
  await realClock.sleep(20);
}
const { user, system } = process.cpuUsage(cpu);
times.sort((a, b) => a - b);
const at = (part: number): number => times[Math.min(times.length - 1, Math.floor(part * times.length))] ?? 0;
await proxy.closeAndRemoveRules();
console.log(JSON.stringify({ firstMs, p50Ms: at(0.5), p99Ms: at(0.99), cpuMicros: (user + system) / Number(changes) }));
process.exit(0);
