import { describeFlags, FlagError, type FlagSpec, parseFlags } from "#component-base/flags.ts";
import { dnsManifestFlags, printedDnsManifest } from "./cluster-dns/manifest.ts";
import { balancedServers, haproxyConfiguration } from "./haproxy-configuration.ts";

type HaproxyFlagTypes = {
  readonly server: "strings";
  readonly bind: "string";
  readonly "ca-file": "string";
  readonly "max-connections": "int";
  readonly help: "bool";
};

/** Flags of `kybern config haproxy`. */
export const haproxyFlags: { readonly [N in keyof HaproxyFlagTypes]: FlagSpec<HaproxyFlagTypes[N]> } = {
  server: {
    type: "strings",
    default: [],
    placeholder: "LIST",
    help: "The API servers: [NAME=]HOST[:PORT], with commas between, or one flag for each; port 6443 unless it is said.",
  },
  bind: { type: "string", default: "*:6443", placeholder: "HOST:PORT", help: "Where clients come to." },
  "ca-file": {
    type: "string",
    default: "",
    placeholder: "FILE",
    help: "On the balancer's machine: authorities that the servers' certificates must be of when HAProxy asks how they are; any when empty.",
  },
  "max-connections": {
    type: "int",
    default: 0,
    min: 0,
    max: 1_000_000,
    placeholder: "N",
    help: "Connections at one time; as many as open files allow when 0.",
  },
  help: { type: "bool", default: false, help: "Show this help." },
};

const USAGE = `Prints configurations for programs that work beside the cluster.

Usage:
  kybern config haproxy --server HOST,HOST,... [flags]   HAProxy in front of several API servers
  kybern config cluster-dns --image IMAGE [flags]        The cluster's DNS server as pods, for kubectl apply
`;

const BIND = /^(\*|[\w.-]+|\[[0-9a-fA-F:.]+\])?:\d{1,5}$/;

/** `kybern config`: prints configurations. */
export async function config(args: readonly string[]): Promise<void> {
  const [what = "--help", ...rest] = args;
  if (what === "cluster-dns") {
    const wantsHelp = rest.some((arg) => /^--?h(elp)?$/.test(arg));
    process.stdout.write(wantsHelp ? `${USAGE}\n${describeFlags(dnsManifestFlags)}\n` : printedDnsManifest(rest));
    return;
  }
  if (what !== "haproxy") {
    if (what !== "--help" && what !== "-h") {
      throw new FlagError(`takes "haproxy" or "cluster-dns", not "${what}". See kybern config --help.`);
    }
    process.stdout.write(`${USAGE}\n${describeFlags(haproxyFlags)}\n`);
    return;
  }
  const flags = parseFlags(haproxyFlags, rest);
  if (flags.help) {
    process.stdout.write(`${USAGE}\n${describeFlags(haproxyFlags)}\n`);
    return;
  }
  if (!BIND.test(flags.bind)) throw new FlagError(`flag --bind takes HOST:PORT, not "${flags.bind}"`);
  process.stdout.write(
    haproxyConfiguration({
      bind: flags.bind,
      servers: balancedServers(flags.server),
      caFile: flags["ca-file"],
      maxConnections: flags["max-connections"],
    }),
  );
}
