import fc, { type Arbitrary } from "fast-check";
import { describe, expect, test } from "vitest";
import type { Service } from "#api/generated/core/v1.ts";
import type { Endpoint, EndpointSlice } from "#api/generated/discovery/v1.ts";
import { DEFAULT_CONFIGURATION } from "#kube-proxy/configuration/proxy-configuration.ts";
import type { ProxyHost, RunResult } from "#kube-proxy/host.ts";
import { IptablesBackend } from "#kube-proxy/iptables/iptables-backend.ts";
import { NftablesBackend } from "#kube-proxy/nftables/nftables-backend.ts";
import type { RuleBackend } from "#kube-proxy/rule-backend.ts";
import type { IpFamily } from "#kube-proxy/traffic/ip-family.ts";
import type { NodeFacts } from "#kube-proxy/traffic/node-facts.ts";
import { ServiceTable } from "#kube-proxy/traffic/service-table.ts";
import { runs } from "./runs.ts";
import { type Behind, type Here, meant } from "./service-rules/api-model.ts";
import { IptablesMachine } from "./service-rules/iptables-machine.ts";
import { NftMachine } from "./service-rules/nft-machine.ts";
import { type Outcome, type Packet, shown } from "./service-rules/packet.ts";

interface World {
  readonly here: Here;
  readonly facts: NodeFacts;
  readonly clusterIp: (i: number) => string;
  readonly outer: readonly string[];
  readonly endpoints: readonly { readonly address: string; readonly node: string }[];
  readonly ranges: readonly string[];
  readonly clients: readonly Pick<Packet, "source" | "isOwn">[];
}

const worlds: Readonly<Record<IpFamily, World>> = {
  IPv4: world("IPv4", {
    node: "192.168.99.1",
    podNetwork: "10.244.0.0/16",
    outer: ["203.0.113.1", "203.0.113.2"],
    pods: ["10.244.1.2", "10.244.1.3", "10.244.2.2", "10.244.3.2"],
    stranger: "198.51.100.7",
    ranges: ["198.51.100.0/24", "192.168.99.0/24", "198.51.0.0/16", "10.244.1.0/24"],
    clusterIp: (i) => `10.96.0.${i + 1}`,
  }),
  IPv6: world("IPv6", {
    node: "fd99::1",
    podNetwork: "fd44::/16",
    outer: ["fd03::1", "fd03::2"],
    pods: ["fd44:1::2", "fd44:1::3", "fd44:2::2", "fd44:3::2"],
    stranger: "fd51::7",
    ranges: ["fd51::/64", "fd99::/64", "fd51::/16", "fd44:1::/64"],
    clusterIp: (i) => `fd96::${i + 1}`,
  }),
};

interface Places {
  readonly node: string;
  readonly podNetwork: string;
  readonly outer: readonly string[];
  readonly pods: readonly [string, string, string, string];
  readonly stranger: string;
  readonly ranges: readonly string[];
  readonly clusterIp: (i: number) => string;
}

function world(family: IpFamily, { node, podNetwork, outer, pods, stranger, ranges, clusterIp }: Places): World {
  const here = { node: "here", zone: "a", local: [node], nodePortAddresses: [node], podNetwork, judgesSourcesFirst: true };
  const detector = { by: "network", network: podNetwork } as const;
  return {
    here,
    facts: { name: "here", zone: "a", family, nodeIp: node, nodePortIps: [node], detector },
    clusterIp,
    outer,
    ranges,
    endpoints: pods.map((address, i) => ({ address, node: i < 2 ? "here" : "there" })),
    clients: [
      { source: pods[0], isOwn: false },
      { source: pods[1], isOwn: false },
      { source: node, isOwn: true },
      { source: stranger, isOwn: false },
    ],
  };
}

const conditions = fc.constantFrom(
  { ready: true },
  { ready: true },
  { ready: false, serving: true, terminating: true },
  { ready: false, serving: false, terminating: true },
  { ready: false, serving: true, terminating: false },
);
const hints = fc.constantFrom(
  {},
  { forZones: [{ name: "a" }] },
  { forZones: [{ name: "b" }] },
  { forZones: [{ name: "a" }], forNodes: [{ name: "here" }] },
  { forZones: [{ name: "a" }], forNodes: [{ name: "there" }] },
);
const policy = fc.constantFrom("Cluster", "Local");

function behindOf(i: number, { clusterIp, outer, endpoints, ranges }: World, family: IpFamily): Arbitrary<Behind> {
  const endpoint = (at: World["endpoints"][number]): Arbitrary<Endpoint> =>
    fc.record({ conditions, hints: fc.oneof(fc.constant({}), hints) }).map((told) => ({
      addresses: [at.address],
      nodeName: at.node,
      ...told,
    }));
  return fc
    .record({
      type: fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer"),
      protocol: fc.constantFrom("TCP", "UDP", "SCTP"),
      isOuter: fc.boolean(),
      internalTrafficPolicy: policy,
      externalTrafficPolicy: policy,
      sessionAffinity: fc.constantFrom("None", "ClientIP"),
      loadBalancerSourceRanges: fc.subarray([...ranges]),
      endpoints: fc.subarray([...endpoints]).chain((some) => fc.tuple(...some.map(endpoint))),
    })
    .map(({ type, protocol, isOuter, endpoints: list, ...spec }) => {
      const name = `service-${i}`;
      const outerPolicy = type === "ClusterIP" && !isOuter ? {} : { externalTrafficPolicy: spec.externalTrafficPolicy };
      const service = {
        metadata: { namespace: "default", name },
        spec: {
          ...spec,
          type,
          clusterIP: clusterIp(i),
          clusterIPs: [clusterIp(i)],
          ...(isOuter ? { externalIPs: [outer[0]] } : {}),
          externalTrafficPolicy: outerPolicy.externalTrafficPolicy,
          ports: [{ name: "p", protocol, port: 80 + i, ...(type === "ClusterIP" ? {} : { nodePort: 30_000 + i }) }],
        },
        status: { loadBalancer: { ingress: type === "LoadBalancer" ? [{ ip: outer[1], ipMode: "VIP" }] : [] } },
      } as Service;
      const slice = {
        metadata: { namespace: "default", name, labels: { "kubernetes.io/service-name": name } },
        addressType: family,
        ports: [{ name: "p", protocol, port: 8080 }],
        endpoints: list,
      } as EndpointSlice;
      return { service, slice };
    });
}

interface Machine {
  readonly backend: RuleBackend;
  outcomes(packet: Packet): readonly Outcome[];
  /** All rules, for comparison. */
  dump(): unknown;
}

function machineOf(mode: "nftables" | "iptables", family: IpFamily, here: Here): Machine {
  const configuration = DEFAULT_CONFIGURATION;
  if (mode === "nftables") {
    const machine = new NftMachine(here);
    const run = (_: string, __: readonly string[], input: string): string => {
      machine.run(input);
      return "";
    };
    const backend = new NftablesBackend({ family, host: hostOf(run), configuration });
    const dump = (): unknown => [
      new Map([...machine.chains].filter(([name, { rules }]) => rules.length > 0 || !name.includes("/")).toSorted()),
      new Map([...machine.containers].map(([name, { elements }]) => [name, [...elements].toSorted()] as const).toSorted()),
    ];
    return { backend, outcomes: (packet) => machine.outcomes(packet), dump };
  }
  const machine = new IptablesMachine(here);
  const run = (program: string, _: readonly string[], input: string): string => {
    if (program.endsWith("-save")) return machine.save();
    machine.restore(input);
    return "";
  };
  const dump = (): unknown => [...machine.tables].map(([table, chains]) => [table, [...chains].toSorted()]);
  return {
    backend: new IptablesBackend({ family, host: hostOf(run), configuration }),
    outcomes: (p) => machine.outcomes(p),
    dump,
  };
}

function hostOf(run: (program: string, args: readonly string[], input: string) => string): ProxyHost {
  const nothing = async (): Promise<undefined> => undefined;
  return {
    run: async (program, args, input = ""): Promise<RunResult> => {
      if (program === "nft" && args.includes("list")) return { code: 1, stdout: "", stderr: "No such file or directory" };
      return { code: 0, stdout: run(program, args, input), stderr: "" };
    },
    readSetting: nothing,
    writeSetting: nothing,
    readModuleParameter: nothing,
    writeModuleParameter: nothing,
    localAddresses: () => [],
    processors: 1,
  };
}

describe.each(["nftables", "iptables"] as const)("rules of kube-proxy in mode %s", (mode) => {
  describe.each(["IPv4", "IPv6"] as const)("%s", (family) => {
    const all = worlds[family];
    const { facts, outer, clients } = all;
    const here = { ...all.here, judgesSourcesFirst: mode === "nftables" };
    const state = fc.tuple(...[0, 1, 2].map((i) => fc.option(behindOf(i, all, family), { nil: undefined })));

    const put = (table: ServiceTable, i: number, behind: Behind | undefined): string => {
      const name = `service-${i}`;
      const empty = {
        metadata: { namespace: "default", name, labels: { "kubernetes.io/service-name": name } },
        addressType: family,
      };
      table.setSlice(behind?.slice ?? empty, behind !== undefined);
      return table.setService("default", name, behind?.service);
    };
    const sync = async (
      { backend }: Machine,
      table: ServiceTable,
      keys: readonly string[],
      fromScratch: boolean,
    ): Promise<void> => {
      const services = new Map(keys.map((key) => [key, table.traffic(key, family, facts)]));
      await backend.sync({ node: facts, serviceNetworks: [], services, fromScratch });
    };

    test("every packet goes where the API says, after every change", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(state, { minLength: 1, maxLength: 4 }), async (states) => {
          const machine = machineOf(mode, family, here);
          const table = new ServiceTable();
          for (const [round, services] of states.entries()) {
            const keys = services.map((behind, i) => put(table, i, behind));
            await sync(machine, table, keys, round === 0);
            // Chains that nothing leads to are removed now and then.
            if (round % 2 === 1) await machine.backend.tidy();
            const there = services.flatMap((behind) => behind ?? []);
            for (const packet of packetsTo(there)) {
              const wanted = meant(there, here, packet);
              if (wanted === undefined || isLeftAlone(mode, packet, wanted)) continue;
              const got = shown(machine.outcomes(packet)).map((text) => text.replaceAll(/[[\]]/g, ""));
              expect(got, JSON.stringify({ packet, round, there })).toEqual([...new Set(wanted)].sort());
            }
          }
        }),
        runs(30),
      );
    });

    test("changes one by one come to the same rules as all at once", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(state, { minLength: 2, maxLength: 5 }), async (states) => {
          const [gradual, anew] = [machineOf(mode, family, here), machineOf(mode, family, here)];
          const table = new ServiceTable();
          for (const [round, services] of states.entries()) {
            const keys = services.map((behind, i) => put(table, i, behind));
            await sync(gradual, table, keys, round === 0);
          }
          await gradual.backend.tidy();
          const keys = (states.at(-1) ?? []).map((_, i) => `default/service-${i}`);
          await sync(anew, table, keys, true);
          expect(gradual.dump()).toEqual(anew.dump());
        }),
        runs(30),
      );
    });

    /** From everybody to every address of every Service. */
    function packetsTo(there: readonly Behind[]): readonly Packet[] {
      return there.flatMap(({ service: { spec = {} } }) => {
        const [{ protocol = "TCP", port = 0, nodePort = 0 } = { port: 0 }] = spec.ports ?? [];
        const targets = [spec.clusterIP ?? "", ...outer].map((destination) => ({ destination, port }));
        const all = nodePort === 0 ? targets : [...targets, { destination: here.local[0] ?? "", port: nodePort }];
        return clients.flatMap((client) => all.map((target) => ({ ...client, ...target, protocol: protocol.toLowerCase() })));
      });
    }
  });
});

/** iptables, as upstream, does not judge what the node itself sends to outer addresses that nothing stands behind. */
function isLeftAlone(mode: string, { isOwn }: Packet, wanted: readonly string[]): boolean {
  return mode === "iptables" && (wanted[0] === "reject" || wanted[0] === "drop") && isOwn;
}
