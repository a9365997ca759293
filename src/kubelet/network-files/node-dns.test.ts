import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { NodeDns } from "./node-dns.ts";

const pod = { metadata: { name: "web", namespace: "shop", uid: "u-1" }, spec: { containers: [] } } as Pod;

function setUp(text: string, clusterDns: readonly string[] = ["10.96.0.10"], resolvConf = "/etc/resolv.conf") {
  const events: string[] = [];
  const recorder = {
    event: (target: object, type: string, reason: string, message: string) => {
      const { kind, metadata } = target as { kind: string; metadata: { name: string } };
      events.push(`${kind} ${metadata.name} ${type} ${reason}: ${message}`);
    },
    flush: async () => {},
  };
  const files = { readFile: (async (path: string) => (text === "" ? Promise.reject(new Error(`no ${path}`)) : text)) as never };
  const common = { nodeName: "n", clusterDomain: "cluster.local", nodeIps: [], files, recorder };
  return { events, dns: new NodeDns({ ...common, clusterDns, resolvConf }) };
}

test("the node's own searches follow the cluster's", async () => {
  const { dns, events } = setUp("nameserver 9.9.9.9\nsearch corp.example\n");
  expect((await dns.configOf(pod)).searches).toEqual([
    "shop.svc.cluster.local",
    "svc.cluster.local",
    "cluster.local",
    "corp.example",
  ]);
  await dns.check();
  expect(events).toEqual([]);
});

test("a node without cluster DNS is told of beside its pod", async () => {
  const { dns, events } = setUp("nameserver 9.9.9.9\n", []);
  expect((await dns.configOf(pod)).servers).toEqual(["9.9.9.9"]);
  const what =
    'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.';
  expect(events).toEqual([
    `Node n Warning MissingClusterDNS: ${what}`,
    `Pod web Warning MissingClusterDNS: pod: "web_shop(u-1)". ${what}`,
  ]);
});

test.each([
  { name: "cannot be read", text: "", path: "/r", want: "no /r" },
  {
    name: "has too many searches",
    text: `search ${"a ".repeat(30)}`,
    path: "/r",
    want: "Resolv.conf file '/r' contains search line consisting of more than 29 domains!",
  },
  { name: "is not there on purpose", text: "", path: "", want: undefined },
])("a node's own file that $name", async ({ text, path, want }) => {
  const { dns, events } = setUp(text, ["10.96.0.10"], path);
  await dns.check();
  expect(events).toEqual(want === undefined ? [] : [`Node n Warning CheckLimitsForResolvConf: ${want}`]);
});
