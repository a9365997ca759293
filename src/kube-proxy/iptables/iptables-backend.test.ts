import { expect, test } from "vitest";
import type { Service, ServiceSpec } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { DEFAULT_CONFIGURATION } from "../configuration/proxy-configuration.ts";
import type { ProxyHost } from "../host.ts";
import type { NodeFacts } from "../traffic/node-facts.ts";
import type { PortTraffic } from "../traffic/port-traffic.ts";
import { ServiceTable } from "../traffic/service-table.ts";
import { IptablesBackend } from "./iptables-backend.ts";

const NODE: NodeFacts = {
  name: "here",
  zone: "",
  family: "IPv4",
  nodeIp: "192.168.0.2",
  nodePortIps: undefined,
  detector: { by: "network", network: "10.0.0.0/8" },
};
const SVC = "KUBE-SVC-XPGD46QRK7WJZT7O";
const SEP = "KUBE-SEP-SXIVWICOYRO3J4NJ";

function traffic(spec: Partial<ServiceSpec>, where: readonly string[]): readonly PortTraffic[] {
  const table = new ServiceTable();
  const service = {
    metadata: { namespace: "ns1", name: "svc1" },
    spec: { clusterIP: "172.30.0.41", clusterIPs: ["172.30.0.41"], ports: [{ name: "p80", port: 80 }], ...spec },
  } as Service;
  const slice = {
    metadata: { namespace: "ns1", name: "x", labels: { "kubernetes.io/service-name": "svc1" } },
    addressType: "IPv4",
    ports: [{ name: "p80", port: 80, protocol: "TCP" }],
    endpoints: where.map((address) => ({ addresses: [address] })),
  } as EndpointSlice;
  table.setSlice(slice, true);
  return table.traffic(table.setService("ns1", "svc1", service), "IPv4", NODE);
}

class Recorder {
  readonly inputs: string[] = [];
  saved = "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n";
  fails = false;
  readonly backend: IptablesBackend;

  constructor() {
    const run: ProxyHost["run"] = async (program, _, input = "") => {
      if (program === "iptables-save") return { code: 0, stdout: this.saved, stderr: "" };
      this.inputs.push(input);
      return this.fails ? { code: 2, stdout: "", stderr: "line 3 failed" } : { code: 0, stdout: "", stderr: "" };
    };
    this.backend = new IptablesBackend({ family: "IPv4", host: { run } as ProxyHost, configuration: DEFAULT_CONFIGURATION });
  }

  async sync(services: Record<string, readonly PortTraffic[]>, fromScratch = false): Promise<readonly string[]> {
    this.inputs.length = 0;
    await this.backend.sync({ node: NODE, serviceNetworks: [], services: new Map(Object.entries(services)), fromScratch });
    return this.inputs.join("").trim().split("\n");
  }
}

test("at first all chains are written, what leads to them, and what is stale goes", async () => {
  const recorder = new Recorder();
  recorder.saved =
    '*nat\n:KUBE-SVC-OLD - [0:0]\n:OTHER - [0:0]\n-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES\nCOMMIT\n';
  const lines = await recorder.sync({ "ns1/svc1": traffic({}, ["10.180.0.1"]) }, true);
  expect(lines).toEqual(
    expect.arrayContaining([
      '-I FORWARD 1 -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      '-I OUTPUT 1 -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      `-A KUBE-SERVICES -m comment --comment "ns1/svc1:p80 cluster IP" -m tcp -p tcp -d 172.30.0.41 --dport 80 -j ${SVC}`,
      '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
      `-A ${SVC} -m comment --comment "ns1/svc1:p80 cluster IP" -m tcp -p tcp -d 172.30.0.41 --dport 80 ! -s 10.0.0.0/8 -j KUBE-MARK-MASQ`,
      `-A ${SVC} -m comment --comment "ns1/svc1:p80 -> 10.180.0.1:80" -j ${SEP}`,
      `-A ${SEP} -m comment --comment "ns1/svc1:p80" -s 10.180.0.1 -j KUBE-MARK-MASQ`,
      `-A ${SEP} -m comment --comment "ns1/svc1:p80" -m tcp -p tcp -j DNAT --to-destination 10.180.0.1:80`,
      "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
      "-X KUBE-SVC-OLD",
    ]),
  );
  expect(lines.filter((line) => /PREROUTING 1|OTHER/.test(line))).toEqual([]);
});

test("a change of endpoints writes the Service's chains, and no shared one", async () => {
  const recorder = new Recorder();
  await recorder.sync({ "ns1/svc1": traffic({}, ["10.180.0.1"]) }, true);
  const lines = await recorder.sync({ "ns1/svc1": traffic({}, ["10.180.0.1", "10.180.0.2"]) });
  expect(lines).toEqual([
    "*nat",
    `:${SVC} - [0:0]`,
    expect.stringMatching(/^:KUBE-SEP-/),
    expect.stringContaining("KUBE-MARK-MASQ"),
    expect.stringContaining("--mode random --probability 0.5000000000"),
    expect.stringMatching(/10\.180\.0\.2:80" -j KUBE-SEP-/),
    expect.stringContaining("-s 10.180.0.2 -j KUBE-MARK-MASQ"),
    expect.stringContaining("--to-destination 10.180.0.2:80"),
    "COMMIT",
  ]);
  expect(await recorder.sync({ "ns1/svc1": traffic({}, ["10.180.0.1", "10.180.0.2"]) })).toEqual([""]);
});

test("a Service that goes takes its chains along", async () => {
  const recorder = new Recorder();
  await recorder.sync({ "ns1/svc1": traffic({}, ["10.180.0.1"]) }, true);
  const lines = await recorder.sync({ "ns1/svc1": [] });
  expect(lines.filter((line) => line.startsWith("-X"))).toEqual([`-X ${SVC}`, `-X ${SEP}`]);
  expect(lines.filter((line) => line.includes("svc1"))).toEqual([]);
});

test("without endpoints packets are rejected, and clients with affinity are remembered", async () => {
  const recorder = new Recorder();
  expect(await recorder.sync({ "ns1/svc1": traffic({}, []) }, true)).toContain(
    '-A KUBE-SERVICES -m comment --comment "ns1/svc1:p80 has no endpoints" -m tcp -p tcp -d 172.30.0.41 --dport 80 -j REJECT',
  );
  const sticky = await recorder.sync({ "ns1/svc1": traffic({ sessionAffinity: "ClientIP" }, ["10.180.0.1"]) });
  expect(sticky).toEqual(
    expect.arrayContaining([
      `-A ${SVC} -m comment --comment "ns1/svc1:p80 -> 10.180.0.1:80" -m recent --name ${SEP} --rcheck --seconds 10800 --reap -j ${SEP}`,
      `-A ${SEP} -m comment --comment "ns1/svc1:p80" -m recent --name ${SEP} --set -m tcp -p tcp -j DNAT --to-destination 10.180.0.1:80`,
    ]),
  );
});

test("a failure says what the tool said, and the next time all is written", async () => {
  const recorder = new Recorder();
  recorder.fails = true;
  await expect(recorder.sync({}, true)).rejects.toThrow("iptables-restore ended with 2: line 3 failed");
  recorder.fails = false;
  expect(await recorder.sync({ "ns1/svc1": traffic({}, ["10.180.0.1"]) })).toContain(
    "-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000",
  );
});

test("removal leaves other people's chains, and the kubelet's", async () => {
  const recorder = new Recorder();
  recorder.saved = [
    "*nat",
    ":PREROUTING ACCEPT [0:0]",
    ":KUBE-SERVICES - [0:0]",
    `:${SVC} - [0:0]`,
    ":KUBE-KUBELET-CANARY - [0:0]",
    ":KUBE-NWPLCY-X - [0:0]",
    '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    "-A PREROUTING -j KUBE-NWPLCY-X",
    "COMMIT",
    "",
  ].join("\n");
  await recorder.backend.remove();
  expect(recorder.inputs.join("").trim().split("\n")).toEqual([
    "*nat",
    ":KUBE-SERVICES - [0:0]",
    `:${SVC} - [0:0]`,
    '-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    "-X KUBE-SERVICES",
    `-X ${SVC}`,
    "COMMIT",
  ]);
});
