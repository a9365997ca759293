import type { ProxyHost, RunResult } from "../host.ts";
import { outputOf } from "../host.ts";
import type { IpFamily } from "../traffic/ip-family.ts";
import { readFlows } from "./flows.ts";
import { type FlowTargets, hasTargets, staleFlows } from "./stale-flows.ts";

/** With more destinations than this the whole table is listed at once. */
const LOOKUPS_MAX = 16;

/** Cuts flows of UDP to endpoints that have gone. Resolves with the number of kinds of flows that were cut; rejects with a `ToolError`. */
export async function cutStaleFlows(host: ProxyHost, family: IpFamily, targets: FlowTargets): Promise<number> {
  if (!hasTargets(targets)) return 0;
  const common = ["-f", family === "IPv4" ? "ipv4" : "ipv6", "-p", "udp"];
  const run = async (args: readonly string[]): Promise<string> => {
    const result = await host.run("conntrack", [...args.slice(0, 1), ...common, ...args.slice(1)]);
    return isNone(result) ? "" : outputOf("conntrack", result);
  };
  const single = [
    ...[...targets.addresses.keys()].map((key) => {
      const [address = "", port = ""] = key.split(" ");
      return ["--orig-dst", address, "--orig-port-dst", port];
    }),
    ...[...targets.nodePorts.keys()].map((port) => ["--orig-port-dst", `${port}`]),
  ];
  const lookups = single.length > LOOKUPS_MAX ? [[]] : single;
  const outputs: string[] = [];
  for (const lookup of lookups) outputs.push(await run(["-L", ...lookup]));
  const stale = staleFlows(readFlows(outputs.join("\n")), targets);
  for (const { destination, destinationPort, answers } of stale) {
    await run(["-D", "--orig-dst", destination, "--orig-port-dst", `${destinationPort}`, "--reply-src", answers]);
  }
  return stale.length;
}

/** `conntrack -D` fails where the flow has ended by itself. */
function isNone({ code, stderr }: RunResult): boolean {
  return code === 1 && /0 flow entries have been deleted/.test(stderr);
}
