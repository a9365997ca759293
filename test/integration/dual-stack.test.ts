import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { startKubeApiServer } from "#kube-apiserver/server.ts";
import { startControllerManager } from "#kube-controller-manager/controller-manager.ts";
import { nodeIpamController } from "#kube-controller-manager/controllers/node-ipam/controller.ts";
import { ensureClusterAssets } from "#pki/cluster-assets.ts";
import { asker } from "../support/ask.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { openTestStore } from "../support/store.ts";

const SERVICES = "/api/v1/namespaces/default/services";
const PODS = "/api/v1/namespaces/default/pods";
const NETWORKING = "/apis/networking.k8s.io/v1";
const V4 = "10.96.0.0/16";
const V6 = "fd00:96::/112";
const PATIENCE = { timeout: 20_000, interval: 20 };
const PORTS = [{ port: 80 }];
const familyOf = (ip: string): string => (ip.includes(":") ? "IPv6" : "IPv4");

/** What a test says of a Service's families. */
interface Families {
  readonly ipFamilyPolicy?: string;
  readonly ipFamilies?: readonly string[];
  readonly clusterIPs?: readonly string[];
  readonly clusterIP?: string;
  readonly selector?: object;
  readonly type?: string;
}

describe.each([
  { ranges: [V4, V6], first: "IPv4", second: "IPv6" },
  { ranges: [V6, V4], first: "IPv6", second: "IPv4" },
])("a cluster of both families, $first first", ({ ranges, first, second }) => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  let count = 0;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1, serviceClusterIpRange: ranges.join(",") });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());

  const make = async (spec: Families) =>
    ask("POST", SERVICES, { metadata: { name: `s-${++count}` }, spec: { ports: PORTS, ...spec } });
  const made = async (spec: Families) => {
    const { status, body, text } = await make(spec);
    expect(status, text).toBe(201);
    return body;
  };
  const addresses = async (): Promise<readonly string[]> => {
    const { body } = await ask("GET", `${NETWORKING}/ipaddresses`);
    return body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
  };

  test("its own objects know both", async () => {
    const { body: range } = await ask("GET", `${NETWORKING}/servicecidrs/kubernetes`);
    expect(range.spec.cidrs).toEqual(ranges);
    expect(range.status.conditions).toMatchObject([{ type: "Ready", status: "True" }]);
    const { spec } = (await ask("GET", `${SERVICES}/kubernetes`)).body;
    expect([spec.ipFamilies, spec.ipFamilyPolicy, spec.clusterIPs.map(familyOf)]).toEqual([[first], "SingleStack", [first]]);
    await vi.waitFor(async () => {
      const slice = (await ask("GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes")).body;
      expect([slice.addressType, familyOf(slice.endpoints[0].addresses[0])]).toEqual([first, first]);
    }, PATIENCE);
    const { body: node } = await ask("GET", "/api/v1/nodes/node-0");
    expect(node.spec.podCIDRs.map(familyOf)).toEqual([first, second]);
    expect(node.spec.podCIDR).toBe(node.spec.podCIDRs[0]);
    const internal = node.status.addresses.filter(({ type }: { type: string }) => type === "InternalIP");
    expect(internal.map(({ address }: { address: string }) => familyOf(address))).toEqual([first, second]);
  });

  test.each<[string, Families, string, string[]]>([
    ["none", {}, "SingleStack", [first]],
    ["SingleStack", { ipFamilyPolicy: "SingleStack" }, "SingleStack", [first]],
    ["PreferDualStack", { ipFamilyPolicy: "PreferDualStack" }, "PreferDualStack", [first, second]],
    ["RequireDualStack", { ipFamilyPolicy: "RequireDualStack" }, "RequireDualStack", [first, second]],
    ["the second family", { ipFamilies: [second] }, "SingleStack", [second]],
    ["the second family first", { ipFamilyPolicy: "PreferDualStack", ipFamilies: [second] }, "PreferDualStack", [second, first]],
    ["a load balancer's", { type: "LoadBalancer", ipFamilyPolicy: "RequireDualStack" }, "RequireDualStack", [first, second]],
  ])("a Service that asks for %s", async (_, asked, policy, families) => {
    const { spec } = await made(asked);
    expect([spec.ipFamilyPolicy, spec.ipFamilies, spec.clusterIPs.map(familyOf)]).toEqual([policy, families, families]);
    expect(spec.clusterIP).toBe(spec.clusterIPs[0]);
    expect(await addresses()).toEqual(expect.arrayContaining(spec.clusterIPs));
  });

  test("addresses that are asked for decide the families, and are had once", async () => {
    const clusterIPs = [second, first].map((family) => (family === "IPv6" ? "fd00:96::77" : "10.96.0.77"));
    const asked = { clusterIP: clusterIPs[0] ?? "", clusterIPs, ipFamilyPolicy: "PreferDualStack" };
    const { spec } = await made(asked);
    expect([spec.ipFamilies, spec.clusterIPs]).toEqual([[second, first], clusterIPs]);
    const again = await make(asked);
    expect([again.status, again.body.message]).toEqual([
      422,
      expect.stringContaining(`failed to allocate IP ${clusterIPs[0]}: provided IP is already allocated`),
    ]);
    const elsewhere = await make({ clusterIP: "fd00:97::1" });
    expect(elsewhere.body.message).toContain(
      "failed to allocate IP fd00:97::1: the provided network does not match the current range",
    );
    // However it is written.
    const long = await make({ clusterIP: "fd00:96:0:0:0:0:0:0077" });
    expect(long.body.message).toContain("provided IP is already allocated");
  });

  test.each<[string, Families, string]>([
    [
      "two families for one stack",
      { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4", "IPv6"] },
      "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
    ],
    [
      "addresses of another order than the families",
      { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"], clusterIP: "fd00:96::9", clusterIPs: ["fd00:96::9"] },
      'spec.clusterIPs[0]: Invalid value: "fd00:96::9": expected an IPv4 value as indicated by `ipFamilies[0]`',
    ],
    [
      "two addresses of one family",
      { ipFamilyPolicy: "RequireDualStack", clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9", "10.96.0.10"] },
      "may specify no more than one IP for each IP family",
    ],
    ["a policy that is none", { ipFamilyPolicy: "Both" }, 'spec.ipFamilyPolicy: Unsupported value: "Both": supported values: '],
  ])("is refused: %s", async (_, asked, message) => {
    const { status, body } = await make(asked);
    expect([status, body.message]).toEqual([422, expect.stringContaining(message)]);
  });

  test("headless ones have families and no addresses", async () => {
    const selector = { app: "x" };
    const of = async (asked: Families) => {
      const { spec } = await made({ clusterIP: "None", ...asked });
      return [spec.ipFamilyPolicy, spec.ipFamilies, spec.clusterIPs];
    };
    expect(await of({ selector })).toEqual(["SingleStack", [first], ["None"]]);
    expect(await of({ selector, ipFamilyPolicy: "PreferDualStack" })).toEqual(["PreferDualStack", [first, second], ["None"]]);
    expect(await of({})).toEqual(["RequireDualStack", [first, second], ["None"]]);
    expect(await of({ ipFamilies: [second] })).toEqual(["RequireDualStack", [second, first], ["None"]]);
  });

  test("a Service gets its second address later, gives it back, and keeps the first", async () => {
    const { metadata, spec: before } = await made({});
    const path = `${SERVICES}/${metadata.name}`;
    const patch = (spec: object) => ask("PATCH", path, { spec });
    const up = (await patch({ ipFamilyPolicy: "PreferDualStack" })).body.spec;
    expect([up.ipFamilies, up.clusterIPs[0], up.clusterIPs.map(familyOf)]).toEqual([
      [first, second],
      before.clusterIP,
      [first, second],
    ]);
    const gone = up.clusterIPs[1];
    expect(await addresses()).toContain(gone);
    const fewer = await patch({ clusterIPs: [before.clusterIP], ipFamilies: [first] });
    expect([fewer.status, fewer.body.message]).toEqual([
      422,
      expect.stringContaining("must be 'SingleStack' to release the secondary cluster IP"),
    ]);
    const swapped = await patch({ ipFamilies: [second, first] });
    expect([swapped.status, swapped.body.message]).toEqual([
      422,
      expect.stringContaining(`expected an ${second} value as indicated by`),
    ]);
    const down = (await patch({ ipFamilyPolicy: "SingleStack" })).body.spec;
    expect([down.ipFamilies, down.clusterIPs]).toEqual([[first], [before.clusterIP]]);
    await vi.waitFor(async () => expect(await addresses()).not.toContain(gone), PATIENCE);
    // By naming it, as well.
    const named = (await patch({ ipFamilyPolicy: "RequireDualStack", clusterIPs: [before.clusterIP, gone] })).body.spec;
    expect(named.clusterIPs).toEqual([before.clusterIP, gone]);
    const external = (await patch({ type: "ExternalName", externalName: "example.com", clusterIP: null, clusterIPs: null })).body
      .spec;
    expect([external.clusterIPs, external.ipFamilies]).toEqual([undefined, undefined]);
    await vi.waitFor(async () => expect(await addresses()).not.toContain(gone), PATIENCE);
  });

  test("a dry run gives no address away", async () => {
    const { status, body } = await ask("POST", `${SERVICES}?dryRun=All`, {
      metadata: { name: "dry" },
      spec: { ports: PORTS, ipFamilyPolicy: "RequireDualStack" },
    });
    expect([status, body.spec.clusterIPs.map(familyOf)]).toEqual([201, [first, second]]);
    expect((await addresses()).filter((ip) => body.spec.clusterIPs.includes(ip))).toEqual([]);
  });

  test("pods have addresses of both, and each family of a Service a slice with them", async () => {
    const labels = { app: "web" };
    const containers = [{ name: "c", image: "web" }];
    await vi.waitFor(async () => {
      const { status } = await ask("POST", PODS, { metadata: { name: "web", labels }, spec: { containers } });
      expect([201, 409]).toContain(status);
    }, PATIENCE);
    const podIps = await vi.waitFor(async () => {
      const { status } = (await ask("GET", `${PODS}/web`)).body;
      expect(status.podIPs).toHaveLength(2);
      expect([status.podIP, status.hostIPs.length]).toEqual([status.podIPs[0].ip, 2]);
      return status.podIPs.map(({ ip }: { ip: string }) => ip) as readonly string[];
    }, PATIENCE);
    expect(podIps.map(familyOf)).toEqual([first, second]);
    const { metadata } = await made({ selector: labels, ipFamilyPolicy: "RequireDualStack" });
    const slices = `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=${metadata.name}`;
    const shown = async () => {
      const { items } = (await ask("GET", slices)).body;
      return Object.fromEntries(
        items.map((slice: { addressType: string; endpoints?: { addresses: string[] }[] }) => [
          slice.addressType,
          (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses),
        ]),
      );
    };
    await vi.waitFor(
      async () => expect(await shown()).toEqual(Object.fromEntries(podIps.map((ip) => [familyOf(ip), [ip]]))),
      PATIENCE,
    );
    // The former kind of endpoints has those of the first family.
    await vi.waitFor(async () => {
      const { body } = await ask("GET", `/api/v1/namespaces/default/endpoints/${metadata.name}`);
      expect(body.subsets[0].addresses.map(({ ip }: { ip: string }) => ip)).toEqual([podIps[0]]);
    }, PATIENCE);
    expect((await ask("PATCH", `${SERVICES}/${metadata.name}`, { spec: { ipFamilyPolicy: "SingleStack" } })).status).toBe(200);
    await vi.waitFor(async () => expect(await shown()).toEqual({ [first]: [podIps[0]] }), PATIENCE);
  });

  test("a Service that goes gives both addresses back", async () => {
    const { metadata, spec } = await made({ ipFamilyPolicy: "RequireDualStack" });
    await ask("DELETE", `${SERVICES}/${metadata.name}`);
    await vi.waitFor(async () => {
      const left = await addresses();
      expect(left.filter((ip) => spec.clusterIPs.includes(ip))).toEqual([]);
    }, PATIENCE);
  });
});

describe("a cluster of one family", () => {
  test("has no second one, whoever asks", async () => {
    await using cluster = await startCluster({ nodes: 0, serviceClusterIpRange: V4 });
    const ask = asker(cluster);
    const make = (name: string, spec: object) => ask("POST", SERVICES, { metadata: { name }, spec: { ports: PORTS, ...spec } });
    const messages = {
      require:
        'Service "require" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
      six: 'Service "six" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    };
    expect((await make("require", { ipFamilyPolicy: "RequireDualStack" })).body.message).toBe(messages.require);
    expect((await make("six", { ipFamilies: ["IPv6"] })).body.message).toBe(messages.six);
    const { spec } = (await make("prefer", { ipFamilyPolicy: "PreferDualStack" })).body;
    expect([spec.ipFamilies, spec.clusterIPs.length]).toEqual([["IPv4"], 1]);
  });
});

test.each([
  ["nonsense", "service-cluster-ip-range[0] is not a valid cidr"],
  [`${V4},10.97.0.0/16`, "--service-cluster-ip-range[0] and --service-cluster-ip-range[1] must be of different IP family"],
])("a cluster does not start with %s", async (serviceClusterIpRange, message) => {
  await expect(startCluster({ nodes: 0, serviceClusterIpRange })).rejects.toThrow(message);
});

const ofNetworking = (resource: string) => ({ group: "networking.k8s.io", version: "v1", resource });
const SERVICE_CIDRS = ofNetworking("servicecidrs");
const ADDRESSES = ofNetworking("ipaddresses");
const OF_SERVICES = { group: "", version: "v1", resource: "services" };
const EVENTS = { group: "events.k8s.io", version: "v1", resource: "events" };
const NODES = { group: "", version: "v1", resource: "nodes" };
const serviceOf = (name: string, spec: object) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { ports: PORTS, ...spec },
});
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever is there.
type Any = any;

describe.concurrent("in the course of time", () => {
  test("another ServiceCIDR gives addresses away, and stays while Services have them", async () => {
    await using cluster = await startCluster({ nodes: 0, serviceClusterIpRange: V4 });
    const { client } = cluster;
    const more = {
      apiVersion: "networking.k8s.io/v1",
      kind: "ServiceCIDR",
      metadata: { name: "more" },
      spec: { cidrs: ["10.97.0.0/24"] },
    };
    await client.create(SERVICE_CIDRS, "", more);
    const seen = (): Promise<Any> => client.get<Any>(SERVICE_CIDRS, "", "more");
    await vi.waitFor(
      async () => expect((await seen()).status?.conditions).toMatchObject([{ type: "Ready", status: "True" }]),
      PATIENCE,
    );
    expect((await seen()).metadata.finalizers).toEqual(["networking.k8s.io/service-cidr-finalizer"]);
    await client.create(OF_SERVICES, "default", serviceOf("there", { clusterIP: "10.97.0.9" }));
    await client.delete(SERVICE_CIDRS, "", "more");
    await vi.waitFor(
      async () =>
        expect((await seen()).status.conditions).toMatchObject([{ type: "Ready", status: "False", reason: "Terminating" }]),
      PATIENCE,
    );
    await expect(client.create(OF_SERVICES, "default", serviceOf("late", { clusterIP: "10.97.0.10" }))).rejects.toThrow(
      "the provided network does not match the current range",
    );
    await client.delete(OF_SERVICES, "default", "there");
    await vi.waitFor(() => expect(seen()).rejects.toMatchObject({ reason: "NotFound" }), { timeout: 60_000, interval: 100 });
  }, 90_000);

  test("a cluster gets its second family, and what a server left undone is mended at the next start", async () => {
    const kv = await openTestStore();
    const serve = async (serviceClusterIpRange: string, work: (client: Client) => Promise<void>): Promise<void> => {
      const assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange });
      const where = { bindAddress: "127.0.0.1", port: 0, serviceClusterIpRange };
      const server = await startKubeApiServer({ kv, clock: realClock, random: systemRandom, assets, ...where });
      try {
        await server.ready;
        await work(server.inProcessClient({ name: "admin", uid: "", groups: ["system:masters"], extra: {} }));
      } finally {
        await server.stop();
      }
    };
    let prefers: Any;
    try {
      await serve(V4, async (client) => {
        prefers = await client.create(OF_SERVICES, "default", serviceOf("prefers", { ipFamilyPolicy: "PreferDualStack" }));
        expect(prefers.spec.ipFamilies).toEqual(["IPv4"]);
        await client.delete(ADDRESSES, "", prefers.spec.clusterIP);
      });
      await serve(`${V4},${V6}`, async (client) => {
        expect((await client.get<Any>(SERVICE_CIDRS, "", "kubernetes")).spec.cidrs).toEqual([V4, V6]);
        const address = await vi.waitFor(() => client.get<Any>(ADDRESSES, "", prefers.spec.clusterIP), PATIENCE);
        expect(address.spec.parentRef).toMatchObject({ resource: "services", namespace: "default", name: "prefers" });
        await vi.waitFor(async () => {
          const { items } = await client.list<Any>(EVENTS, "default");
          expect(items.map(({ reason }) => reason)).toEqual(["ClusterIPNotAllocated"]);
        }, PATIENCE);
        // It is not changed only because the cluster is; when it is asked for it is.
        const update = (change: object): Promise<Any> =>
          client.patch<Any>(OF_SERVICES, "default", "prefers", "application/merge-patch+json", change);
        expect((await update({ metadata: { labels: { a: "b" } } })).spec.ipFamilies).toEqual(["IPv4"]);
        expect((await update({ spec: { ipFamilyPolicy: "RequireDualStack" } })).spec.ipFamilies).toEqual(["IPv4", "IPv6"]);
        const fresh = await client.create<Any>(OF_SERVICES, "default", serviceOf("new", { ipFamilyPolicy: "PreferDualStack" }));
        expect(fresh.spec.ipFamilies).toEqual(["IPv4", "IPv6"]);
      });
    } finally {
      await kv.close();
    }
  }, 60_000);

  test("nodes get a part of the network of each family", async () => {
    await using cluster = await startCluster({ nodes: 0, serviceClusterIpRange: `${V4},${V6}` });
    const { client } = cluster;
    const clusterCidrs = [
      { cidr: "10.200.0.0/16", maskSize: 24 },
      { cidr: "fd00:200::/48", maskSize: 64 },
    ];
    const parts = { client, clock: realClock, random: systemRandom, signal: new AbortController().signal };
    const manager = await startControllerManager({
      ...parts,
      controllers: [nodeIpamController],
      options: { nodeCidrs: { clusterCidrs } },
    });
    try {
      for (const name of ["a", "b"]) await client.create(NODES, "", { apiVersion: "v1", kind: "Node", metadata: { name } });
      const given = await vi.waitFor(async () => {
        const { items } = await client.list<Any>(NODES, "");
        expect(items.every(({ spec }) => spec?.podCIDRs?.length === 2 && spec.podCIDR === spec.podCIDRs[0])).toBe(true);
        return items.flatMap(({ spec }) => spec.podCIDRs);
      }, PATIENCE);
      expect(given.sort()).toEqual(["10.200.0.0/24", "10.200.1.0/24", "fd00:200:0:1::/64", "fd00:200::/64"]);
    } finally {
      await manager.stop();
    }
  }, 30_000);
});
