import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { silentLogger } from "#component-base/logging.ts";
import { DEFAULT_CONFIGURATION, type ProxyConfiguration } from "#kube-proxy/configuration/proxy-configuration.ts";
import type { RunResult } from "#kube-proxy/host.ts";
import { KubeProxy } from "#kube-proxy/kube-proxy.ts";
import { type Made, NODE, ProxiedCluster, TARGET_PORT, type Told, ZONE } from "../support/proxy-lab/proxied-cluster.ts";
import { ADDRESSES, type Answer, hasProxyLab, type Machine, PROXY_LAB_REASON, ProxyLab } from "../support/proxy-lab/proxy-lab.ts";
import { saySkipped } from "../support/say-skipped.ts";

const OUTER = { IPv4: "203.0.113.10", IPv6: "fd03::10" };
const BALANCER = { IPv4: "203.0.113.20", IPv6: "fd03::20" };
/** Where the node is a neighbour of `out`, and loopback. */
const NEIGHBOURS = { IPv4: "192.168.99.0/24", IPv6: "fd99::/64" };
const STRANGERS = { IPv4: "198.51.100.0/24", IPv6: "fd51::/64" };
const PATIENCE = { timeout: 20_000, interval: 30 };
/** Longer than until TCP tries again: where a refusal comes within the first try, the kernel keeps it for the next. */
const REFUSAL_MS = 4_000;
/** So many questions, and each of two endpoints is almost sure to have been asked (one in half a million not). */
const MANY = 20;
const LEAVING: Told = { conditions: { ready: false, serving: true, terminating: true } };

saySkipped(hasProxyLab, `rules of kube-proxy: ${PROXY_LAB_REASON}`);

const MODES = ["nftables", "iptables"] as const;

// Each mode has machines of its own, and most of the time is spent with waiting for packets that must not come.
describe.runIf(hasProxyLab).concurrent.each(MODES)("kube-proxy in mode %s", (mode) => {
  describe.sequential("on a node", () => rulesOfMode(mode));
});

function rulesOfMode(mode: (typeof MODES)[number]): void {
  let lab: ProxyLab;
  let proxy: KubeProxy;
  const api = new ProxiedCluster();
  /** Inputs of the programs that write rules. */
  const written: string[] = [];

  const configuration: ProxyConfiguration = {
    ...DEFAULT_CONFIGURATION,
    mode,
    clusterCIDR: "10.244.0.0/16,fd44::/16",
    iptables: { ...DEFAULT_CONFIGURATION.iptables, minSyncPeriodMs: 10, syncPeriodMs: 500 },
    nftables: { ...DEFAULT_CONFIGURATION.nftables, minSyncPeriodMs: 10, syncPeriodMs: 500 },
  };
  const start = (changed: Partial<ProxyConfiguration> = {}): Promise<KubeProxy> => {
    const { host } = lab;
    const run = (program: string, args: readonly string[], input?: string): Promise<RunResult> => {
      if (input !== undefined && input !== "") written.push(input);
      return host.run(program, args, input);
    };
    return KubeProxy.start({
      client: api.client,
      clock: realClock,
      random: systemRandom,
      logger: silentLogger,
      host: { ...host, run },
      configuration: { ...configuration, ...changed },
      nodeName: NODE,
    });
  };
  /** Puts another in the place of the proxy until `work` is done. */
  const withOther = async (changed: Partial<ProxyConfiguration>, work: () => Promise<void>): Promise<void> => {
    await proxy.close();
    proxy = await start(changed);
    try {
      await work();
    } finally {
      await proxy.close();
      proxy = await start();
    }
  };

  beforeAll(async () => {
    await api.start();
    lab = await ProxyLab.start([TARGET_PORT, TARGET_PORT + 1]);
    proxy = await start();
  });
  afterEach(async () => {
    await api.clear();
  });
  afterAll(async () => {
    if (lab === undefined) return;
    try {
      await proxy.closeAndRemoveRules();
      // Whatever a test made, nothing of it stays.
      expect(await rulesOf(["nftables", "iptables"])).toEqual([]);
    } finally {
      await lab[Symbol.asyncDispose]();
    }
  });

  /** The node's rules that are the proxy's, as the kernel's tools list them. */
  const rulesOf = async (modes: readonly ("nftables" | "iptables")[]): Promise<readonly string[]> => {
    const programs = modes.includes("iptables") ? ["iptables-save", "ip6tables-save"] : [];
    const saved = await Promise.all(programs.map((program) => lab.run(program, [])));
    const lists = await Promise.all(
      (modes.includes("nftables") ? ["ip", "ip6"] : []).map((family) => lab.run("nft", ["list", "table", family, "kube-proxy"])),
    );
    // The kubelet's chain stays, as upstream.
    const chains = saved.flatMap(({ stdout }) => stdout.split("\n")).filter((line) => /KUBE-(?!FIREWALL)/.test(line));
    return [...lists.flatMap(({ stdout }) => stdout.split("\n")), ...chains].filter((line) => line !== "");
  };

  /** Who answers, asked often enough that everybody who may has done so. */
  const answering = async (ask: () => Promise<Answer>): Promise<readonly string[]> => {
    const first = await ask();
    // Silence is waited for once.
    const rest = first.error === "TIMEOUT" ? [] : await Promise.all(Array.from({ length: MANY - 1 }, ask));
    return [...new Set([first, ...rest].map(({ by, error }) => by ?? error ?? ""))].sort();
  };
  const eventually = async (ask: () => Promise<Answer>, ...wanted: readonly string[]): Promise<void> => {
    await vi.waitFor(async () => expect(await answering(ask)).toEqual([...wanted].sort()), PATIENCE);
  };
  const refuses = async (from: Machine, address: string, port: number): Promise<void> => {
    await vi.waitFor(async () => expect((await lab.tcp(from, address, port, REFUSAL_MS)).error).toBe("ECONNREFUSED"), PATIENCE);
  };

  describe.each(["IPv4", "IPv6"] as const)("%s", (family) => {
    const seenBy = async (ask: () => Promise<Answer>): Promise<string> => (await ask()).seen ?? "nobody";

    test("a cluster address leads pods, the node and neighbours to all endpoints", async () => {
      const s = await api.service();
      await api.endpoints(s, { pod1: {}, far: {} });
      await eventually(() => lab.tcp("pod2", s[family], 80), "pod1", "far");
      await eventually(() => lab.tcp("node", s[family], 80), "pod1", "far");
      await eventually(() => lab.tcp("out", s[family], 80), "pod1", "far");
      // Pods are seen as they are; strangers as the node, so that answers come back by it.
      await api.endpoints(s, { pod1: {} });
      await eventually(() => lab.tcp("pod2", s[family], 80), "pod1");
      expect(await seenBy(() => lab.tcp("pod2", s[family], 80))).toBe(ADDRESSES.pod2[family]);
      expect(await seenBy(() => lab.tcp("out", s[family], 80))).not.toBe(ADDRESSES.out[family]);
    });

    test("a pod that is its own endpoint reaches itself", async () => {
      const s = await api.service({ type: "NodePort", externalIPs: [OUTER[family]] });
      await api.endpoints(s, { pod1: {} });
      await eventually(() => lab.tcp("pod1", s[family], 80), "pod1");
      await eventually(() => lab.tcp("pod1", OUTER[family], 80), "pod1");
      await eventually(() => lab.tcp("pod1", ADDRESSES.node[family], s.nodePort), "pod1");
      expect(await seenBy(() => lab.tcp("pod1", s[family], 80))).not.toBe(ADDRESSES.pod1[family]);
    });

    test("a node port leads everybody who asks the node to all endpoints", async () => {
      const s = await api.service({ type: "NodePort" });
      await api.endpoints(s, { pod1: {}, far: {} });
      for (const from of ["out", "pod2", "node"] as const) {
        await eventually(() => lab.tcp(from, ADDRESSES.node[family], s.nodePort), "pod1", "far");
      }
      // The neighbour would not know what to do with an answer that came straight from the other node.
      await api.endpoints(s, { far: {} });
      await eventually(() => lab.tcp("out", ADDRESSES.node[family], s.nodePort), "far");
      expect(await seenBy(() => lab.tcp("out", ADDRESSES.node[family], s.nodePort))).not.toBe(ADDRESSES.out[family]);
    });

    test("external addresses and those of load balancers lead to the endpoints", async () => {
      const s = await api.service({ type: "LoadBalancer", externalIPs: [OUTER[family]] });
      await api.balance(s, [BALANCER[family]]);
      await api.endpoints(s, { pod1: {}, far: {} });
      for (const address of [OUTER[family], BALANCER[family]]) {
        for (const from of ["out", "pod2", "node"] as const) await eventually(() => lab.tcp(from, address, 80), "pod1", "far");
      }
      await api.balance(s, []);
      await vi.waitFor(async () => expect((await lab.tcp("out", BALANCER[family], 80)).by).toBeUndefined(), PATIENCE);
    });

    test("a load balancer that is a proxy is reached as it is", async () => {
      const s = await api.service({ type: "LoadBalancer" });
      await api.balance(s, [BALANCER[family]]);
      await api.endpoints(s, { pod1: {} });
      await eventually(() => lab.tcp("pod2", BALANCER[family], 80), "pod1");
      await api.balance(s, [BALANCER[family]], "Proxy");
      await vi.waitFor(async () => expect((await lab.tcp("pod2", BALANCER[family], 80)).by).toBeUndefined(), PATIENCE);
      // The rest of the Service goes on.
      await eventually(() => lab.tcp("out", ADDRESSES.node[family], s.nodePort), "pod1");
    });

    test("load balancers let only their source ranges in", async () => {
      const s = await api.service({ type: "LoadBalancer", loadBalancerSourceRanges: [` ${STRANGERS[family]}`] });
      await api.balance(s, [BALANCER[family]]);
      await api.endpoints(s, { pod1: {} });
      await eventually(() => lab.tcp("out", ADDRESSES.node[family], s.nodePort), "pod1");
      await Promise.all(
        (["out", "pod2"] as const).map((from) => eventually(() => lab.tcp(from, BALANCER[family], 80), "TIMEOUT")),
      );
      await api.update(s, { loadBalancerSourceRanges: [NEIGHBOURS[family]] });
      await eventually(() => lab.tcp("out", BALANCER[family], 80), "pod1");
      await eventually(() => lab.tcp("node", BALANCER[family], 80), "pod1");
      await eventually(() => lab.tcp("pod2", BALANCER[family], 80), "TIMEOUT");
      await api.update(s, { loadBalancerSourceRanges: null });
      await eventually(() => lab.tcp("pod2", BALANCER[family], 80), "pod1");
    });

    test("without endpoints every address of a Service rejects", async () => {
      const ports = [
        { port: 80, protocol: "TCP" },
        { name: "udp", port: 80, protocol: "UDP" },
      ];
      const s = await api.service({ type: "LoadBalancer", externalIPs: [OUTER[family]], ports });
      await api.balance(s, [BALANCER[family]]);
      const rejected = (["pod1", "out", "node"] as const).flatMap((from) => {
        // Of the node's own packets iptables rejects those to cluster addresses and to itself, as upstream.
        const outer = mode === "iptables" && from === "node" ? [] : [OUTER[family], BALANCER[family]];
        return [
          ...[s[family], ...outer].map((address) => refuses(from, address, 80)),
          refuses(from, ADDRESSES.node[family], s.nodePort),
          eventually(() => lab.udp(from, s[family], 80), "ECONNREFUSED"),
        ];
      });
      await Promise.all(rejected);
      await api.endpoints(s, { pod1: {} });
      await eventually(() => lab.tcp("out", OUTER[family], 80), "pod1");
    });

    test("clients stay with an endpoint as long as affinity says", async () => {
      const s = await api.service({ sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } } });
      await api.endpoints(s, { pod1: {}, pod2: {}, far: {} });
      const ask = (): Promise<Answer> => lab.tcp("node", s[family], 80);
      await vi.waitFor(async () => expect((await ask()).by).toBeDefined(), PATIENCE);
      const [kept] = await answering(ask);
      expect(await answering(ask)).toEqual([kept]);
      // A change of the endpoints does not move those whose endpoint stays.
      const all = { pod1: {}, pod2: {}, far: {} };
      const gone = kept === "pod1" ? "pod2" : "pod1";
      await api.endpoints(s, Object.fromEntries(Object.entries(all).filter(([name]) => name !== gone)));
      await vi.waitFor(async () => {
        // Who comes from elsewhere shows that the change is in place.
        const others = new Set<string | undefined>();
        for (let i = 0; i < 3; i++) others.add((await lab.tcp("out", s[family], 80)).by);
        expect(others.has(gone)).toBe(false);
      }, PATIENCE);
      expect(await answering(ask)).toEqual([kept]);
      await api.update(s, { sessionAffinity: "None", sessionAffinityConfig: null });
      await eventually(ask, ...Object.keys(all).filter((name) => name !== gone));
      await api.update(s, { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } } });
      // After a second of silence the choice is free again.
      await vi.waitFor(async () => expect(await answering(ask)).toHaveLength(1), PATIENCE);
      const slowly = new Set<string | undefined>();
      await vi.waitFor(
        async () => {
          slowly.add((await ask()).by);
          expect(slowly.size).toBe(2);
        },
        { timeout: 60_000, interval: 1_500 },
      );
    }, 120_000);

    test("external policy Local keeps outer traffic on the node, with its source, and lets clients inside go anywhere", async () => {
      const s = await api.service({ type: "LoadBalancer", externalTrafficPolicy: "Local" });
      await api.balance(s, [BALANCER[family]]);
      await api.endpoints(s, { pod1: {}, far: {} });
      for (const [address, port] of [
        [BALANCER[family], 80],
        [ADDRESSES.node[family], s.nodePort],
      ] as const) {
        await eventually(() => lab.tcp("out", address, port), "pod1");
        expect(await seenBy(() => lab.tcp("out", address, port))).toBe(ADDRESSES.out[family]);
        await eventually(() => lab.tcp("pod2", address, port), "pod1", "far");
        await eventually(() => lab.tcp("node", address, port), "pod1", "far");
      }
      await eventually(() => lab.tcp("out", s[family], 80), "pod1", "far");
      await api.endpoints(s, { far: {} });
      await Promise.all([
        eventually(() => lab.tcp("out", BALANCER[family], 80), "TIMEOUT"),
        eventually(() => lab.tcp("out", ADDRESSES.node[family], s.nodePort), "TIMEOUT"),
      ]);
      await eventually(() => lab.tcp("pod2", BALANCER[family], 80), "far");
      await eventually(() => lab.tcp("node", BALANCER[family], 80), "far");
    });

    test("internal policy Local keeps clients inside on the node", async () => {
      const s = await api.service({ type: "NodePort", internalTrafficPolicy: "Local" });
      await api.endpoints(s, { pod1: {}, far: {} });
      await eventually(() => lab.tcp("pod2", s[family], 80), "pod1");
      await eventually(() => lab.tcp("node", s[family], 80), "pod1");
      await eventually(() => lab.tcp("out", ADDRESSES.node[family], s.nodePort), "pod1", "far");
      await api.endpoints(s, { far: {} });
      await eventually(() => lab.tcp("pod2", s[family], 80), "TIMEOUT");
      await eventually(() => lab.tcp("out", ADDRESSES.node[family], s.nodePort), "far");
    });

    test("endpoints that end serve as long as there are no others", async () => {
      const s = await api.service({ type: "NodePort", externalTrafficPolicy: "Local" });
      await api.endpoints(s, { pod1: LEAVING, far: LEAVING });
      await eventually(() => lab.tcp("pod2", s[family], 80), "pod1", "far");
      await eventually(() => lab.tcp("out", ADDRESSES.node[family], s.nodePort), "pod1");
      await api.endpoints(s, { pod1: LEAVING, far: {} });
      await eventually(() => lab.tcp("pod2", s[family], 80), "far");
      await eventually(() => lab.tcp("out", ADDRESSES.node[family], s.nodePort), "pod1");
      await api.endpoints(s, { pod1: { conditions: { ready: false, serving: false, terminating: true } } });
      await refuses("pod2", s[family], 80);
    });

    test("hints keep traffic in the zone and on the node, where they leave an endpoint", async () => {
      const s = await api.service({ trafficDistribution: "PreferSameZone" });
      const zone = (name: string): Told => ({ hints: { forZones: [{ name }] } });
      const ask = (): Promise<Answer> => lab.tcp("node", s[family], 80);
      await api.endpoints(s, { pod1: zone("zone-b"), pod2: zone(ZONE), far: zone(ZONE) });
      await eventually(ask, "pod2", "far");
      await api.endpoints(s, { pod1: zone("zone-b"), far: zone("zone-c") });
      await eventually(ask, "pod1", "far");
      const here: Told = { hints: { forZones: [{ name: ZONE }], forNodes: [{ name: NODE }] } };
      const there: Told = { hints: { forZones: [{ name: ZONE }], forNodes: [{ name: "far" }] } };
      await api.endpoints(s, { pod1: here, far: there });
      await eventually(ask, "pod1");
      await api.endpoints(s, { pod1: here, far: {} });
      await eventually(ask, "pod1", "far");
    });

    test("a UDP client whose endpoint has gone is led to another", async () => {
      const s = await api.service({ type: "NodePort", ports: [{ port: 53, protocol: "UDP" }] });
      await api.endpoints(s, { pod1: {} }, { protocol: "UDP" });
      const flows = [
        () => lab.udp("pod2", s[family], 53, 5353),
        () => lab.udp("out", ADDRESSES.node[family], s.nodePort, 5354),
        () => lab.udp("node", s[family], 53, 5355),
      ];
      // A flow is one port of the client's: its packets follow one another.
      const leadTo = async (wanted: string): Promise<void> => {
        const answers = async (): Promise<unknown> => Promise.all(flows.map(async (ask) => (await ask()).by));
        const all = flows.map(() => wanted);
        // One that has been led elsewhere stays there, however often it is asked.
        await vi.waitFor(async () => {
          for (let i = 0; i < MANY; i++) expect(await answers()).toEqual(all);
        }, PATIENCE);
      };
      await leadTo("pod1");
      await api.endpoints(s, { far: {} }, { protocol: "UDP" });
      await leadTo("far");
      // Flows to endpoints that stay are left alone.
      await api.endpoints(s, { far: {}, pod1: {}, pod2: {} }, { protocol: "UDP" });
      await eventually(() => lab.udp("node", s[family], 53), "far", "pod1", "pod2");
      await leadTo("far");
    });

    test("one port serves TCP and UDP apart, and ports have names", async () => {
      const ports = [
        { name: "tcp", port: 53, protocol: "TCP" },
        { name: "udp", port: 53, protocol: "UDP" },
        { name: "other", port: 81, protocol: "TCP" },
        { name: "sctp", port: 53, protocol: "SCTP" },
      ];
      const s = await api.service({ ports });
      await api.endpoints(s, { pod1: {} }, { portName: "tcp" });
      await api.endpoints(s, { pod2: {} }, { portName: "udp", protocol: "UDP" });
      await api.endpoints(s, { far: {} }, { portName: "other", port: TARGET_PORT + 1 });
      await api.endpoints(s, { far: {} }, { portName: "sctp", protocol: "SCTP" });
      await eventually(() => lab.tcp("node", s[family], 53), "pod1");
      await eventually(() => lab.udp("node", s[family], 53), "pod2");
      await eventually(() => lab.tcp("node", s[family], 81), "far");
      // No machine has sockets of SCTP here; the kernel takes the rules.
      await vi.waitFor(
        async () => expect((await rulesOf([mode])).filter((rule) => /sctp/.test(rule)).length).toBeGreaterThan(1),
        PATIENCE,
      );
    });

    test("what is no Service's leads nowhere", async () => {
      const s = await api.service();
      await api.endpoints(s, { pod1: {} });
      await eventually(() => lab.tcp("pod2", s[family], 80), "pod1");
      const unused = family === "IPv4" ? "10.96.250.250" : "fd96::fafa";
      if (mode === "nftables") {
        const [, , silence] = await Promise.all([
          refuses("pod2", s[family], 81),
          refuses("node", s[family], 81),
          answering(() => lab.tcp("pod2", unused, 80)),
        ]);
        expect(silence).toEqual(["TIMEOUT"]);
      }
      await api.remove(s);
      await vi.waitFor(async () => expect((await lab.tcp("pod2", s[family], 80)).by).toBeUndefined(), PATIENCE);
    });

    test("Services of other proxies, and those without address, get no rules", async () => {
      const theirs = await api.service({ type: "NodePort" }, { "service.kubernetes.io/service-proxy-name": "other" });
      const headless = await api.service({ clusterIP: "None", clusterIPs: ["None"] });
      const ours = await api.service();
      for (const s of [theirs, headless, ours]) await api.endpoints(s, { pod1: {} });
      await eventually(() => lab.tcp("pod2", ours[family], 80), "pod1");
      const rules = (await rulesOf([mode])).join("\n");
      expect([theirs, headless, ours].map(({ name }) => rules.includes(`${name}`))).toEqual([false, false, true]);
    });
  });

  test("node ports are served on 127.0.0.1 in mode iptables alone", async () => {
    const s = await api.service({ type: "NodePort" });
    await api.endpoints(s, { pod1: {} });
    await eventually(() => lab.tcp("node", ADDRESSES.node.IPv4, s.nodePort), "pod1");
    if (mode === "iptables") await eventually(() => lab.tcp("node", "127.0.0.1", s.nodePort), "pod1");
    else await refuses("node", "127.0.0.1", s.nodePort);
    await refuses("node", "::1", s.nodePort);
    const routed = await lab.host.readSetting("net/ipv4/conf/all/route_localnet");
    expect(routed?.trim()).toBe(mode === "iptables" ? "1" : "0");
    if (mode !== "iptables") return;
    await withOther({ iptables: { ...configuration.iptables, localhostNodePorts: false } }, async () => {
      await refuses("node", "127.0.0.1", s.nodePort);
      await eventually(() => lab.tcp("node", ADDRESSES.node.IPv4, s.nodePort), "pod1");
    });
  });

  test("neighbours do not reach what listens on 127.0.0.1 alone", async () => {
    // The neighbour sends what is for 127.0.0.1 to the node, and takes answers from there.
    const script = [
      "ip address del 127.0.0.1/8 dev lo",
      `ip route add 127.0.0.1/32 via ${ADDRESSES.node.IPv4}`,
      "echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet",
    ];
    expect((await lab.runOn("out", "sh", ["-ec", script.join("\n")])).code).toBe(0);
    await lab.listen("node", 9_000);
    const s = await api.service();
    await api.endpoints(s, { pod1: {} });
    await eventually(() => lab.tcp("node", s.IPv4, 80), "pod1");
    expect(await lab.tcp("out", "127.0.0.1", 9_000)).toEqual({ error: "TIMEOUT" });
    if (mode === "iptables") {
      // It is the rule that keeps them out: node ports on 127.0.0.1 make the kernel route such packets.
      await lab.run("iptables", ["-F", "KUBE-FIREWALL"]);
      expect((await lab.tcp("out", "127.0.0.1", 9_000)).by).toBe("node");
      await withOther({}, () => eventually(() => lab.tcp("out", "127.0.0.1", 9_000), "TIMEOUT"));
    }
    await lab.runOn("out", "ip", ["address", "add", "127.0.0.1/8", "dev", "lo"]);
  });

  test("node ports are open on the chosen addresses", async () => {
    const s = await api.service({ type: "NodePort" });
    await api.endpoints(s, { pod1: {} });
    // The bridge is the node's too.
    const [chosen, other] = [ADDRESSES.node.IPv4, "10.244.1.1"];
    await withOther({ nodePortAddresses: [NEIGHBOURS.IPv4] }, async () => {
      await eventually(() => lab.tcp("out", chosen, s.nodePort), "pod1");
      await refuses("pod2", other, s.nodePort);
    });
    await withOther({ nodePortAddresses: ["0.0.0.0/0"] }, async () => {
      await eventually(() => lab.tcp("pod2", other, s.nodePort), "pod1");
    });
    await withOther({ nodePortAddresses: ["primary"] }, async () => {
      await eventually(() => lab.tcp("out", chosen, s.nodePort), "pod1");
      await refuses("pod2", other, s.nodePort);
    });
  });

  test("sources are replaced for everybody where all shall be", async () => {
    const s = await api.service();
    await api.endpoints(s, { pod1: {} });
    const all = { ...configuration[mode], masqueradeAll: true };
    await withOther({ [mode]: { ...configuration.iptables, ...all } }, async () => {
      await eventually(() => lab.tcp("pod2", s.IPv4, 80), "pod1");
      await vi.waitFor(async () => expect((await lab.tcp("pod2", s.IPv4, 80)).seen).not.toBe(ADDRESSES.pod2.IPv4), PATIENCE);
    });
    await vi.waitFor(async () => expect((await lab.tcp("pod2", s.IPv4, 80)).seen).toBe(ADDRESSES.pod2.IPv4), PATIENCE);
  });

  test.each([
    { detectLocalMode: "BridgeInterface", detectLocal: { bridgeInterface: "cbr0", interfaceNamePrefix: "" } },
    { detectLocalMode: "InterfaceNamePrefix", detectLocal: { bridgeInterface: "", interfaceNamePrefix: "cbr" } },
  ] as const)("pods are told from others by $detectLocalMode", async (changed) => {
    const s = await api.service({ type: "LoadBalancer", externalTrafficPolicy: "Local" });
    await api.balance(s, [BALANCER.IPv4]);
    await api.endpoints(s, { far: {} });
    await withOther({ ...changed, clusterCIDR: "" }, async () => {
      await eventually(() => lab.tcp("pod2", BALANCER.IPv4, 80), "far");
      await eventually(() => lab.tcp("out", BALANCER.IPv4, 80), "TIMEOUT");
    });
  });

  test("what a former run left goes, and connections do not notice a restart", async () => {
    const [stays, goes] = [await api.service(), await api.service({ sessionAffinity: "ClientIP" })];
    for (const s of [stays, goes]) await api.endpoints(s, { pod1: {}, pod2: {} });
    await eventually(() => lab.tcp("node", stays.IPv4, 80), "pod1", "pod2");
    await vi.waitFor(async () => expect((await lab.tcp("node", goes.IPv4, 80)).by).toBeDefined(), PATIENCE);
    await proxy.close();
    expect((await lab.tcp("node", stays.IPv4, 80)).by).toBeDefined();
    await api.remove(goes);
    proxy = await start();
    await vi.waitFor(async () => expect((await rulesOf([mode])).join("\n")).not.toContain(goes.name), PATIENCE);
    await eventually(() => lab.tcp("node", stays.IPv4, 80), "pod1", "pod2");
  });

  test("clients keep their endpoints while the proxy is restarted", async () => {
    const s = await api.service({ sessionAffinity: "ClientIP" });
    await api.endpoints(s, { pod1: {}, pod2: {}, far: {} });
    await vi.waitFor(async () => expect((await lab.tcp("node", s.IPv4, 80)).by).toBeDefined(), PATIENCE);
    const kept = await answering(() => lab.tcp("node", s.IPv4, 80));
    const more = await api.service();
    await withOther({}, async () => {
      await api.endpoints(more, { pod1: {} });
      await eventually(() => lab.tcp("node", more.IPv4, 80), "pod1");
      expect(await answering(() => lab.tcp("node", s.IPv4, 80))).toEqual(kept);
    });
  });

  test("rules of the other mode go, since both would translate", async () => {
    const s = await api.service();
    await api.endpoints(s, { pod1: {} });
    const other = mode === "nftables" ? "iptables" : "nftables";
    await withOther({ mode: other }, async () => {
      await eventually(() => lab.tcp("node", s.IPv4, 80), "pod1");
      expect(await rulesOf([mode])).toEqual([]);
    });
    await eventually(() => lab.tcp("node", s.IPv4, 80), "pod1");
    expect(await rulesOf([other])).toEqual([]);
  });

  test("rules that somebody clears away come back", async () => {
    const s = await api.service();
    await api.endpoints(s, { pod1: {} });
    await eventually(() => lab.tcp("node", s.IPv4, 80), "pod1");
    await lab.run("nft", ["flush", "ruleset"]);
    expect((await lab.tcp("node", s.IPv4, 80, 300)).by).toBeUndefined();
    await eventually(() => lab.tcp("node", s.IPv4, 80), "pod1");
  });

  test("a change writes what changed and nothing else", async () => {
    const services: Made[] = [];
    for (let i = 0; i < 20; i++) services.push(await api.service({ type: "NodePort" }));
    for (const s of services) await api.endpoints(s, { pod1: {} });
    for (const s of services) await eventually(() => lab.tcp("node", s.IPv4, 80), "pod1");
    await eventually(() => lab.tcp("node", services.at(-1)?.IPv6 ?? "", 80), "pod1");
    written.length = 0;
    const [changed] = services;
    if (changed === undefined) return;
    await api.endpoints(changed, { pod2: {} });
    for (const family of ["IPv4", "IPv6"] as const) await eventually(() => lab.tcp("node", changed[family], 80), "pod2");
    const rules = written
      .join("")
      .split("\n")
      .filter((line) => /^(-A|add rule|add element|delete element)/.test(line));
    expect(rules.length).toBeGreaterThan(1);
    const others = services.slice(1).filter((s) => rules.some((rule) => rule.includes(`default/${s.name}`)));
    expect(others).toEqual([]);
    expect(rules.length).toBeLessThan(20);
  });

  test("Services that come and go leave nothing behind", async () => {
    await vi.waitFor(
      async () => expect((await rulesOf([mode])).filter((rule) => rule.includes("default/"))).toEqual([]),
      PATIENCE,
    );
    // The order in which tools list things is not fixed.
    const before = (await rulesOf([mode])).toSorted();
    for (let round = 0; round < 5; round++) {
      const made: Made[] = [];
      for (let i = 0; i < 5; i++) {
        const s = await api.service({
          type: "LoadBalancer",
          sessionAffinity: i % 2 === 0 ? "ClientIP" : "None",
          externalIPs: [OUTER.IPv4],
        });
        await api.endpoints(s, { pod1: {}, far: {} });
        made.push(s);
      }
      const last = made.at(-1);
      await vi.waitFor(async () => expect((await lab.tcp("node", last?.IPv4 ?? "", 80)).by).toBeDefined(), PATIENCE);
      for (const s of made) await api.remove(s);
    }
    await vi.waitFor(async () => expect((await rulesOf([mode])).toSorted()).toEqual(before), PATIENCE);
  });
}
