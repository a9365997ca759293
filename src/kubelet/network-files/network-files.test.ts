import { describe, expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { managedHostsFile, nodeHostsFile } from "./hosts-file.ts";
import { type DnsSettings, podDns, resolvConfWarning } from "./pod-dns.ts";
import { kernelHostname, podHostname } from "./pod-hostname.ts";
import { formatResolvConf, parseResolvConf } from "./resolv-conf.ts";

const podOf = (spec: object, name = "web"): Pod =>
  ({ metadata: { name, namespace: "shop", uid: "u-1" }, spec: { containers: [], ...spec } }) as unknown as Pod;

const LOCAL =
  "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\n" +
  "fe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n";
const ALIASES = [
  { ip: "123.45.67.89", hostnames: ["foo", "bar"] },
  { ip: "1::2", hostnames: ["six"] },
];

test.each([
  { name: "two addresses", ips: ["10.0.0.5", "fd00::5"], domain: "", want: "10.0.0.5\tweb\nfd00::5\tweb\n" },
  {
    name: "a domain",
    ips: ["10.0.0.5"],
    domain: "sub.shop.svc.cluster.local",
    want: "10.0.0.5\tweb.sub.shop.svc.cluster.local\tweb\n",
  },
])("/etc/hosts of a pod with $name", ({ ips, domain, want }) => {
  expect(managedHostsFile(ips, { hostname: "web", domain }, [])).toBe(`# Kubernetes-managed hosts file.\n${LOCAL}${want}`);
});

test("/etc/hosts with aliases, and of a pod with the node's network", () => {
  const added = "\n# Entries added by HostAliases.\n123.45.67.89\tfoo\tbar\n1::2\tsix\n";
  expect(managedHostsFile(["10.0.0.5"], { hostname: "web", domain: "" }, ALIASES).endsWith(added)).toBe(true);
  expect(nodeHostsFile("1.2.3.4 node\n", ALIASES)).toBe(
    `# Kubernetes-managed hosts file (host network).\n1.2.3.4 node\n${added}`,
  );
});

test.each([
  { name: "its name", spec: {}, want: { hostname: "web", domain: "" }, kernel: "web" },
  { name: "a hostname", spec: { hostname: "h" }, want: { hostname: "h", domain: "" }, kernel: "h" },
  { name: "a subdomain", spec: { subdomain: "sub" }, want: { hostname: "web", domain: "sub.shop.svc.c.l" }, kernel: "web" },
  {
    name: "the full name",
    spec: { hostname: "h", subdomain: "sub", setHostnameAsFQDN: true },
    want: { hostname: "h", domain: "sub.shop.svc.c.l" },
    kernel: "h.sub.shop.svc.c.l",
  },
  { name: "no domain to be full with", spec: { setHostnameAsFQDN: true }, want: { hostname: "web", domain: "" }, kernel: "web" },
  {
    name: "an override",
    spec: { hostnameOverride: "x.y", subdomain: "sub" },
    want: { hostname: "x.y", domain: "" },
    kernel: "x.y",
  },
])("a pod with $name", ({ spec, want, kernel }) => {
  expect(podHostname(podOf(spec), "c.l")).toEqual(want);
  expect(kernelHostname(podOf(spec), "c.l")).toBe(kernel);
});

test("names that are too long are cut, full names refused", () => {
  const long = `${"a".repeat(62)}-b`;
  expect(podHostname(podOf({}, long), "c.l").hostname).toBe("a".repeat(62));
  expect(() => kernelHostname(podOf({ subdomain: "sub", setHostnameAsFQDN: true }, "a".repeat(60)), "c.l")).toThrow(
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${"a".repeat(60)}.sub.shop.svc.c.l is too long (64 characters is the max, 77 characters requested)`,
  );
});

test("a resolv.conf is read: nameservers add up, the last search and options count", () => {
  const text =
    "# note\nnameserver 1.1.1.1\nsearch a.b. c\n nameserver  ::1 \noptions ndots:1\nsearch d.e. .\noptions timeout:2 rotate\n";
  const config = parseResolvConf(text);
  expect(config).toEqual({ servers: ["1.1.1.1", "::1"], searches: ["d.e", "."], options: ["timeout:2", "rotate"] });
  expect(formatResolvConf(config)).toBe("search d.e .\nnameserver 1.1.1.1\nnameserver ::1\noptions timeout:2 rotate\n");
  expect(() => parseResolvConf("nameserver\n")).toThrow("nameserver list is empty");
});

describe("a pod's nameservers", () => {
  const ofNode = { servers: ["9.9.9.9"], searches: ["corp.example"], options: ["rotate"] };
  const settings: DnsSettings = { clusterDns: ["10.96.0.10"], clusterDomain: "cluster.local", ofNode, nodeIps: ["192.168.0.1"] };
  const cluster = {
    servers: ["10.96.0.10"],
    searches: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"],
    options: ["ndots:5"],
  };
  test.each([
    { name: "by default", spec: {}, want: cluster },
    { name: "ClusterFirst", spec: { dnsPolicy: "ClusterFirst" }, want: cluster },
    { name: "ClusterFirst with the node's network", spec: { dnsPolicy: "ClusterFirst", hostNetwork: true }, want: ofNode },
    { name: "ClusterFirstWithHostNet", spec: { dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true }, want: cluster },
    { name: "Default", spec: { dnsPolicy: "Default" }, want: ofNode },
    {
      name: "None",
      spec: {
        dnsPolicy: "None",
        dnsConfig: { nameservers: ["1.1.1.1"], searches: ["x"], options: [{ name: "ndots", value: "2" }, { name: "edns0" }] },
      },
      want: { servers: ["1.1.1.1"], searches: ["x"], options: ["ndots:2", "edns0"] },
    },
    {
      name: "ClusterFirst and more",
      spec: { dnsConfig: { nameservers: ["10.96.0.10", "1.1.1.1"], searches: ["x"], options: [{ name: "ndots", value: "2" }] } },
      want: { servers: ["10.96.0.10", "1.1.1.1"], searches: [...cluster.searches, "x"], options: ["ndots:2"] },
    },
  ])("$name", ({ spec, want }) => {
    expect(podDns(podOf(spec), settings)).toEqual({ config: want, warnings: [] });
  });

  test("without cluster DNS the node's is used, which is told", () => {
    const { config, warnings } = podDns(podOf({}), { ...settings, clusterDns: [] });
    expect(config).toEqual(ofNode);
    const forNode =
      'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.';
    expect(warnings).toEqual([{ reason: "MissingClusterDNS", message: `pod: "web_shop(u-1)". ${forNode}`, forNode }]);
  });

  test("without a resolv.conf the node itself is asked", () => {
    const own = { ...settings, ofNode: undefined };
    const want = { servers: ["127.0.0.1"], searches: ["."], options: [] };
    expect(podDns(podOf({ dnsPolicy: "Default" }), own).config).toEqual(want);
    expect(podDns(podOf({ dnsPolicy: "Default" }), { ...own, nodeIps: [] }).config).toEqual(want);
    expect(podDns(podOf({ dnsPolicy: "Default" }), { ...own, nodeIps: ["fd00::1"] }).config.servers).toEqual(["::1"]);
  });

  test("what is too much is left out and told", () => {
    const searches = Array.from({ length: 33 }, (_, i) => `s${i}`);
    const dnsConfig = { nameservers: ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"], searches };
    const { config, warnings } = podDns(podOf({ dnsPolicy: "None", dnsConfig }), settings);
    expect(config.servers).toEqual(["1.1.1.1", "2.2.2.2", "3.3.3.3"]);
    expect(config.searches).toEqual(searches.slice(0, 32));
    expect(warnings).toEqual([
      {
        reason: "DNSConfigForming",
        message:
          "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 1.1.1.1 2.2.2.2 3.3.3.3",
      },
      {
        reason: "DNSConfigForming",
        message: `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.slice(0, 32).join(" ")}`,
      },
    ]);
  });

  test("searches that are too long are left out, the last of them first", () => {
    const long = "x".repeat(254);
    const many = Array.from({ length: 20 }, (_, i) => `${String(i).padStart(3, "0")}${"y".repeat(117)}`);
    const { config } = podDns(
      podOf({ dnsPolicy: "None", dnsConfig: { nameservers: ["1.1.1.1"], searches: [long, ...many] } }),
      settings,
    );
    expect(config.searches).toEqual(many.slice(0, 16));
  });
});

test.each([
  { searches: ["a"], want: undefined },
  {
    searches: Array.from({ length: 30 }, () => "a"),
    want: "Resolv.conf file '/r' contains search line consisting of more than 29 domains!",
  },
  {
    searches: ["x".repeat(254)],
    want: 'Resolv.conf file "/r" contains a search path which length is more than allowed 253 chars!',
  },
  {
    searches: Array.from({ length: 20 }, () => "x".repeat(120)),
    want: "Resolv.conf file '/r' contains search line which length is more than allowed 2048 chars!",
  },
])("the node's searches: $want", ({ searches, want }) => {
  expect(resolvConfWarning("/r", { servers: [], searches, options: [] }, "cluster.local")).toBe(want);
});
