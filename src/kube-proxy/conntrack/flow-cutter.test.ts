import { expect, test } from "vitest";
import type { ProxyHost, RunResult } from "../host.ts";
import type { PortTraffic } from "../traffic/port-traffic.ts";
import type { ProxiedPort } from "../traffic/proxied-port.ts";
import { cutStaleFlows } from "./flow-cutter.ts";
import { readFlows } from "./flows.ts";
import { udpTargets } from "./stale-flows.ts";

const LISTED = [
  "udp      17 29 src=10.244.1.3 dst=10.96.0.1 sport=5353 dport=53 [UNREPLIED] src=10.244.1.2 dst=10.244.1.3 sport=8080 dport=5353 mark=0 use=1",
  "udp      17 29 src=10.244.1.3 dst=10.96.0.1 sport=5354 dport=53 src=10.244.1.9 dst=10.244.1.3 sport=8080 dport=5354 [ASSURED] mark=0 use=1",
  "udp      17 10 src=192.168.1.9 dst=192.168.1.1 sport=99 dport=30053 src=10.244.1.2 dst=192.168.1.9 sport=8080 dport=99 mark=0 use=1",
  "udp      17 10 src=192.168.1.9 dst=192.168.1.1 sport=99 dport=1234 src=192.168.1.1 dst=192.168.1.9 sport=1234 dport=99 mark=0 use=1",
  "tcp      6 431999 ESTABLISHED src=10.244.1.3 dst=10.96.0.1 sport=1 dport=53 src=10.244.1.2 dst=10.244.1.3 sport=53 dport=1 mark=0 use=1",
  "conntrack v1.4.7 (conntrack-tools): 5 flow entries have been shown.",
].join("\n");

const traffic = (serving: readonly string[], port: Partial<ProxiedPort> = {}): PortTraffic =>
  ({
    port: { protocol: "udp", clusterIp: "10.96.0.1", port: 53, nodePort: 30_053, externalIps: [], loadBalancerIps: [], ...port },
    serving: serving.map((address) => ({ address })),
  }) as unknown as PortTraffic;

test("flows are read as the client sent them, with who answers", () => {
  expect(readFlows(LISTED)[0]).toEqual({ protocol: "udp", destination: "10.96.0.1", destinationPort: 53, answers: "10.244.1.2" });
  expect(readFlows(LISTED)).toHaveLength(5);
  expect(readFlows("nothing of the kind\n")).toEqual([]);
});

test.each([
  { name: "those to endpoints that serve stay", of: [traffic(["10.244.1.2", "10.244.1.9"])], want: [] },
  {
    name: "those to others are cut, by address and by node port",
    of: [traffic(["10.244.1.9"])],
    want: ["10.96.0.1 53 10.244.1.2", "192.168.1.1 30053 10.244.1.2"],
  },
  { name: "TCP ends by itself", of: [traffic(["10.244.1.9"], { protocol: "tcp" })], want: [] },
  { name: "without endpoints nothing is cut yet", of: [traffic([])], want: [] },
  {
    name: "flows to a port that has gone are cut",
    of: [],
    gone: [traffic(["10.244.1.2"], { nodePort: 0 })],
    want: ["10.96.0.1 53 10.244.1.2", "10.96.0.1 53 10.244.1.9"],
  },
])("$name", async ({ of, gone = [], want }) => {
  const cut: string[] = [];
  const run: ProxyHost["run"] = async (_, args): Promise<RunResult> => {
    if (args[0] === "-D") cut.push([args[6], args[8], args[10]].join(" "));
    // Asked for one destination alone, or for all: it lists what there is.
    return { code: 0, stdout: args[0] === "-L" ? LISTED : "", stderr: "" };
  };
  expect(await cutStaleFlows({ run } as ProxyHost, "IPv4", udpTargets(of, gone))).toBe(want.length);
  expect(cut.sort()).toEqual(want);
});

test("what ended by itself meanwhile is no failure, and a missing tool is one", async () => {
  const answers = (code: number, stderr: string): ProxyHost =>
    ({
      run: async (_: string, args: readonly string[]) =>
        args[0] === "-L" && code === 1 ? { code: 0, stdout: LISTED, stderr: "" } : { code, stdout: "", stderr },
    }) as unknown as ProxyHost;
  const targets = udpTargets([traffic(["10.244.1.9"])]);
  const none = "conntrack v1.4.7 (conntrack-tools): 0 flow entries have been deleted.";
  await expect(cutStaleFlows(answers(1, none), "IPv4", targets)).resolves.toBe(2);
  await expect(cutStaleFlows(answers(127, ""), "IPv4", targets)).rejects.toThrow("conntrack: the program is not there");
});
