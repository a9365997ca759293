import { execFile, spawnSync } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { connect } from "node:net";
import { promisify } from "node:util";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Client } from "#client/client.ts";
import type { ClusterDns } from "#cluster-dns/cluster-dns.ts";
import { printedDnsManifest } from "../../src/cmd/cluster-dns/manifest.ts";
import { openDnsPorts } from "../../src/cmd/cluster-dns/ports.ts";
import { asker } from "../support/ask.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { FakeUpstream, startTestDns } from "../support/dns-servers.ts";
import { saySkipped } from "../support/say-skipped.ts";

const DEFAULT = "/api/v1/namespaces/default";
const SVC = "default.svc.cluster.local";
const PATIENCE = { timeout: 20_000, interval: 20 };
const MANY = Array.from({ length: 300 }, (_, i) => Buffer.of(10, 9, i >> 8, i & 255));
const hasDig = spawnSync("dig", ["-v"]).error === undefined;

describe("cluster DNS", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  let upstream: FakeUpstream;
  let dns: ClusterDns;
  let resolver: Resolver;

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1 });
    ask = asker(cluster);
    upstream = await FakeUpstream.start();
    dns = await startTestDns(cluster.client, { upstreams: [upstream.upstream], pods: "verified" });
    resolver = resolverOf(dns);
    await dns.waitForSync();
  });
  afterAll(async () => {
    await dns?.close();
    await upstream?.close();
    await cluster?.stop();
  });

  const create = async (path: string, body: object): Promise<void> => {
    const { status, body: answer } = await ask("POST", path, body);
    expect(status, JSON.stringify(answer)).toBe(201);
  };
  const service = (name: string, spec: object) => create(`${DEFAULT}/services`, { metadata: { name }, spec });
  const largeService = async (name: string): Promise<void> => {
    await service(name, { clusterIP: "None" });
    await create("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
      metadata: { name: `${name}-1`, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints: MANY.map((address) => ({ addresses: [[...address].join(".")] })),
    });
  };
  const seen = <T>(look: () => Promise<T>): Promise<T> => vi.waitFor(look, PATIENCE);

  test("the API server's own Service has its names and its address theirs", async () => {
    const [address = ""] = await resolver.resolve4(`kubernetes.${SVC}`);
    expect((await ask("GET", `${DEFAULT}/services/kubernetes`)).body.spec.clusterIP).toBe(address);
    expect(await resolver.reverse(address)).toEqual([`kubernetes.${SVC}`]);
    expect(await resolver.resolveSrv(`_https._tcp.kubernetes.${SVC}`)).toEqual([
      { priority: 0, weight: 100, port: 443, name: `kubernetes.${SVC}` },
    ]);
    expect(await resolver.resolveTxt("dns-version.cluster.local")).toEqual([["1.1.0"]]);
    await expect(resolver.resolve6(`kubernetes.${SVC}`)).rejects.toMatchObject({ code: "ENODATA" });
    await expect(resolver.resolve4(`gone.${SVC}`)).rejects.toMatchObject({ code: "ENOTFOUND" });
    await expect(resolver.resolveAny(`kubernetes.${SVC}`)).rejects.toMatchObject({ code: "EREFUSED" });
    expect((await resolver.resolveSoa("cluster.local")).minttl).toBe(5);
  });

  test("a headless Service has the addresses and names of its pods, ready or not as it says", async () => {
    await service("web", { clusterIP: "None", selector: { app: "web" }, ports: [{ name: "http", port: 80 }] });
    for (const name of ["web-0", "web-1"]) {
      const spec = { hostname: name, subdomain: "web", containers: [{ name: "c", image: "i" }] };
      await create(`${DEFAULT}/pods`, { metadata: { name, labels: { app: "web" } }, spec });
    }
    const all = await seen(async () => {
      const addresses = await resolver.resolve4(`web.${SVC}`);
      expect(addresses).toHaveLength(2);
      return addresses;
    });
    const ip = (await ask("GET", `${DEFAULT}/pods/web-0`)).body.status.podIP;
    expect(all).toContain(ip);
    expect(await resolver.resolve4(`web-0.web.${SVC}`)).toEqual([ip]);
    expect(await resolver.reverse(ip)).toEqual([`web-0.web.${SVC}`]);
    expect((await resolver.resolveSrv(`_http._tcp.web.${SVC}`)).map(({ name }) => name).toSorted()).toEqual([
      `web-0.web.${SVC}`,
      `web-1.web.${SVC}`,
    ]);
    expect(await seen(() => resolver.resolve4(`${ip.replaceAll(".", "-")}.default.pod.cluster.local`))).toEqual([ip]);
    await expect(resolver.resolve4("1-2-3-4.default.pod.cluster.local")).rejects.toMatchObject({ code: "ENOTFOUND" });

    const waiting = { readinessGates: [{ conditionType: "example.com/never" }], containers: [{ name: "c", image: "i" }] };
    await create(`${DEFAULT}/pods`, { metadata: { name: "late", labels: { app: "late" } }, spec: waiting });
    await service("strict", { clusterIP: "None", selector: { app: "late" } });
    await service("lax", { clusterIP: "None", selector: { app: "late" }, publishNotReadyAddresses: true });
    expect(await seen(() => resolver.resolve4(`lax.${SVC}`))).toHaveLength(1);
    await expect(resolver.resolve4(`strict.${SVC}`)).rejects.toMatchObject({ code: "ENOTFOUND" });
    await ask("DELETE", `${DEFAULT}/pods/web-1?gracePeriodSeconds=0`);
    await seen(async () => expect(await resolver.resolve4(`web.${SVC}`)).toEqual([ip]));
  });

  test("an external name leads elsewhere, follows its changes, and becomes an address", async () => {
    upstream.answer = ({ question }) => ({
      answers: [{ name: question.name, ttl: 60, type: "A", address: Buffer.of(192, 0, 2, question.name.length) }],
    });
    await service("ext", { type: "ExternalName", externalName: "foo.example.com" });
    expect(await seen(() => resolver.resolveCname(`ext.${SVC}`))).toEqual(["foo.example.com"]);
    expect(await resolver.resolve4(`ext.${SVC}`)).toEqual(["192.0.2.15"]);
    const change = (spec: object) =>
      ask("PATCH", `${DEFAULT}/services/ext`, { spec }, { "content-type": "application/merge-patch+json" });
    expect((await change({ externalName: "ba.example.com" })).status).toBe(200);
    await seen(async () => expect(await resolver.resolveCname(`ext.${SVC}`)).toEqual(["ba.example.com"]));
    expect(await resolver.resolve4(`ext.${SVC}`)).toEqual(["192.0.2.14"]);
    expect((await change({ type: "ClusterIP", externalName: null, ports: [{ port: 80 }] })).status).toBe(200);
    const { clusterIP } = (await ask("GET", `${DEFAULT}/services/ext`)).body.spec;
    await seen(async () => expect(await resolver.resolve4(`ext.${SVC}`)).toEqual([clusterIP]));
  });

  test("the search path of a pod finds short names, and leaves the names of others to others", async () => {
    upstream.answer = ({ question }) =>
      question.name === "www.example.com"
        ? { answers: [{ name: question.name, ttl: 60, type: "A", address: Buffer.of(192, 0, 2, 7) }] }
        : { rcode: 3 };
    upstream.asked.length = 0;
    const search = [SVC, "svc.cluster.local", "cluster.local"];
    const lookUp = async (name: string): Promise<readonly string[]> => {
      for (const suffix of name.split(".").length > 5 ? [] : search) {
        const found = await resolver.resolve4(`${name}.${suffix}`).catch((error: { code: string }) => error.code);
        if (Array.isArray(found)) return found;
        // Whatever else than this ends the search of libraries.
        expect(found).toBe("ENOTFOUND");
      }
      return resolver.resolve4(name);
    };
    const own = await resolver.resolve4(`kubernetes.${SVC}`);
    for (const name of ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]) expect(await lookUp(name)).toEqual(own);
    expect(await lookUp("www.example.com")).toEqual(["192.0.2.7"]);
    expect(await lookUp("www.example.com")).toEqual(["192.0.2.7"]);
    // Names of the cluster do not leave it, and the second time is answered from memory.
    expect(upstream.asked.map(({ name }) => name)).toEqual(["www.example.com"]);
    expect(await resolver.resolve4("WWW.Example.COM")).toEqual(["192.0.2.7"]);
    expect(upstream.asked).toHaveLength(1);
  });

  test("what is too long for a datagram comes over TCP, from elsewhere too", async () => {
    upstream.answer = ({ question: { name } }) => ({
      answers: MANY.map((address) => ({ name, ttl: 60, type: "A" as const, address })),
    });
    expect(await resolver.resolve4("many.example.com")).toHaveLength(300);
    expect(upstream.asked.some(({ name, isTcp }) => name === "many.example.com" && isTcp)).toBe(true);
    await largeService("big");
    const found = await seen(() => resolver.resolve4(`big.${SVC}`));
    expect(new Set(found).size).toBe(300);
    // Nobody is always the first.
    const firsts = await Promise.all(Array.from({ length: 20 }, async () => (await resolver.resolve4(`big.${SVC}`))[0]));
    expect(new Set(firsts).size).toBeGreaterThan(1);
  });

  test("a server that is silent is passed over, and that none answers is said", async () => {
    const silent = await FakeUpstream.start();
    silent.answer = () => undefined;
    upstream.answer = ({ question }) => ({
      answers: [{ name: question.name, ttl: 0, type: "A", address: Buffer.of(192, 0, 2, 9) }],
    });
    const two = await startTestDns(cluster.client, { upstreams: [silent.upstream, upstream.upstream] });
    const none = await startTestDns(cluster.client);
    try {
      const found = await Promise.all(Array.from({ length: 8 }, (_, i) => resolverOf(two, 10_000).resolve4(`n${i}.example.com`)));
      expect(found).toEqual(Array(8).fill(["192.0.2.9"]));
      await expect(resolverOf(none).resolve4("www.example.com")).rejects.toMatchObject({ code: "EREFUSED" });
    } finally {
      await Promise.all([two.close(), none.close(), silent.close()]);
    }
  });

  test("a server that asks us in turn is asked no more", async () => {
    const outer = await FakeUpstream.start();
    const looped = await startTestDns(cluster.client, { upstreams: [outer.upstream] });
    const back = resolverOf(looped, 500, 1);
    outer.answer = ({ question }) => {
      void back.resolve(question.name, "A").catch(() => {});
      return undefined;
    };
    try {
      // As the other one would, with whatever it was asked for.
      await vi.waitFor(() => expect(back.resolve4("www.example.com")).rejects.toMatchObject({ code: "EREFUSED" }), PATIENCE);
    } finally {
      await Promise.all([looped.close(), outer.close()]);
    }
  });

  test("without the API server names of the cluster are no absences", async () => {
    const away = { list: () => Promise.reject(new Error("away")), watch: () => Promise.reject(new Error("away")) };
    const lost = await startTestDns(away as unknown as Client, { upstreams: [upstream.upstream] });
    const closePorts = await openDnsPorts(lost, { health: "127.0.0.1:0", ready: "", metrics: "" });
    try {
      await expect(resolverOf(lost).resolve4(`kubernetes.${SVC}`)).rejects.toMatchObject({ code: "ESERVFAIL" });
      expect(lost.isReady).toBe(false);
    } finally {
      await closePorts();
      await lost.close();
    }
  });

  test("connections carry several queries, and hostile ones end", async () => {
    const exchange = (bytes: Buffer): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        const parts: Buffer[] = [];
        const socket = connect(dns.port, "127.0.0.1", () => socket.end(bytes));
        socket.on("data", (part) => parts.push(part));
        socket.on("error", reject);
        socket.on("close", () => resolve(Buffer.concat(parts)));
      });
    const query = Buffer.from(
      "000101000001000000000000 0b646e732d76657273696f6e07636c7573746572056c6f63616c00 0010 0001".replaceAll(" ", ""),
      "hex",
    );
    const one = Buffer.concat([Buffer.of(0, query.length), query]);
    const three = await exchange(Buffer.concat([one, one, one]));
    expect(three.toString("latin1").match(/1\.1\.0/g)).toHaveLength(3);
    expect(await exchange(Buffer.from([0xff, 0xff, 1, 2]))).toHaveLength(0);
    expect(await exchange(Buffer.from([0, 3, 1, 2, 3]))).toHaveLength(0);
    expect(await resolver.resolveTxt("dns-version.cluster.local")).toEqual([["1.1.0"]]);
  });

  test("the manifest of the server as pods is taken by the API server as it is", async () => {
    const folders: Readonly<Record<string, string>> = {
      ServiceAccount: "/api/v1/namespaces/kube-system/serviceaccounts",
      Service: "/api/v1/namespaces/kube-system/services",
      ClusterRole: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
      ClusterRoleBinding: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
      Deployment: "/apis/apps/v1/namespaces/kube-system/deployments",
    };
    const objects = printedDnsManifest(["--image=registry.example/kybern:v1"])
      .split("---\n")
      .map((text) => load(text) as { kind: string });
    expect(objects).toHaveLength(5);
    for (const object of objects) await create(`${folders[object.kind]}?fieldValidation=Strict`, object);
    const pods = await seen(async () => {
      const { items } = (await ask("GET", "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns")).body;
      expect(items).toHaveLength(2);
      return items as { spec: { serviceAccountName: string } }[];
    });
    expect(pods[0]?.spec.serviceAccountName).toBe("cluster-dns");
    expect(await seen(() => resolver.resolve4("kube-dns.kube-system.svc.cluster.local"))).toEqual(["10.96.0.10"]);
    expect(await resolver.resolveNs("cluster.local")).toEqual(["ns.dns.cluster.local"]);
  });

  test("what was asked is counted by CoreDNS' names", async () => {
    const text = await dns.metrics.text();
    expect(text).toMatch(/coredns_dns_requests_total\{[^}]*proto="udp",family="1",type="A"\} \d+/);
    expect(text).toMatch(/coredns_dns_responses_total\{[^}]*rcode="NXDOMAIN",plugin="kubernetes"\} \d+/);
    expect(text).toMatch(/coredns_cache_hits_total\{[^}]*type="success"[^}]*\} \d+/);
  });

  test.runIf(hasDig)("dig is content", async () => {
    const dig = async (...args: readonly string[]): Promise<string> => {
      const all = ["@127.0.0.1", "-p", `${dns.port}`, "+tries=1", "+time=5", ...args];
      return (await promisify(execFile)("dig", all)).stdout;
    };
    const answer = await dig("KuberNetes.Default.svc.cluster.local", "A");
    expect(answer).toMatch(/status: NOERROR/);
    expect(answer).toMatch(/flags: qr aa rd ra;/);
    expect(answer).toMatch(/udp: 1232/);
    expect(answer).toMatch(/KuberNetes\.Default\.svc\.cluster\.local\.\s+5\s+IN\s+A\s+10\./);
    expect(answer).not.toMatch(/WARNING: (?!\.local is reserved)/);
    const absent = await dig("gone.default.svc.cluster.local", "A", "+noedns");
    expect(absent).toMatch(/status: NXDOMAIN/);
    expect(absent).toMatch(
      /cluster\.local\.\s+5\s+IN\s+SOA\s+ns\.dns\.cluster\.local\. hostmaster\.cluster\.local\. \d+ 7200 1800 86400 5/,
    );
    expect(await dig("cluster.local", "AXFR", "+tcp")).toMatch(/Transfer failed|REFUSED/);
    await largeService("large");
    await seen(() => resolver.resolve4(`large.${SVC}`));
    expect(await dig("large.default.svc.cluster.local", "A", "+ignore", "+noedns")).toMatch(
      /flags: qr aa tc rd ra; QUERY: 1, ANSWER: 2\d,/,
    );
    expect(await dig("a.b", "A", "+edns=1", "+noednsneg")).toMatch(/status: BADVERS/);
    expect(await dig("version.bind", "TXT", "CH")).toMatch(/status: REFUSED/);
  });
});

saySkipped(hasDig, "dig is content: needs bind9-dnsutils");

// More than one try: node's resolver waits a second at most, whatever `timeout` says, once it has had some quick answers.
function resolverOf({ port }: ClusterDns, timeout = 5_000, tries = 5): Resolver {
  const resolver = new Resolver({ timeout, tries });
  resolver.setServers([`127.0.0.1:${port}`]);
  return resolver;
}
