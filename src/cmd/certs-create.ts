import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { FlagError, type FlagSpec, type ParsedFlags } from "#component-base/flags.ts";
import { firstAddress } from "#pki/cluster-assets.ts";
import { createAssets } from "#pki/create-assets.ts";
import { KEY_ALGORITHMS } from "#pki/key-pair.ts";
import { type Machines, machinesOf } from "#pki/machine-assets.ts";

const TOKEN_BYTES = 16;

type CertsCreateFlagTypes = {
  readonly master: "strings";
  readonly worker: "strings";
  readonly "load-balancer": "strings";
  readonly server: "string";
  readonly "service-cluster-ip-range": "string";
  readonly "cluster-domain": "string";
  readonly "encryption-algorithm": "string";
};

/** The flags of `kybern certs create`. */
export const certsCreateFlags: { readonly [N in keyof CertsCreateFlagTypes]: FlagSpec<CertsCreateFlagTypes[N]> } = {
  master: {
    type: "strings",
    default: [],
    placeholder: "NAME=IP",
    help: "create: a master; one that comes again has several addresses.",
  },
  worker: { type: "strings", default: [], placeholder: "NAME=IP", help: "create: a worker." },
  "load-balancer": {
    type: "strings",
    default: [],
    placeholder: "HOST",
    help: "create: names and addresses of what stands before the API servers.",
  },
  server: {
    type: "string",
    default: "",
    placeholder: "URL",
    help: "create: where kubeconfigs lead; the load balancer or the first master, at port 6443, when empty.",
  },
  "service-cluster-ip-range": {
    type: "string",
    default: "10.96.0.0/12",
    placeholder: "CIDR",
    help: "create: addresses of Services, or those of each family with a comma between; API servers answer to the first.",
  },
  "cluster-domain": {
    type: "string",
    default: "cluster.local",
    placeholder: "DOMAIN",
    help: "create: domain of the cluster's DNS.",
  },
  "encryption-algorithm": {
    type: "string",
    default: "ECDSA-P256",
    placeholder: "NAME",
    help: `create: kind of keys: ${KEY_ALGORITHMS.join(", ")}.`,
  },
};

/** `kybern certs create`: makes what the machines of a cluster prove themselves with, in the folder `dir`. Throws {@link FlagError}. */
export async function certsCreate(dir: string, flags: ParsedFlags<typeof certsCreateFlags>): Promise<void> {
  const machines = readMachines(flags);
  const [master] = machines.masters;
  if (master === undefined) throw new FlagError("name the masters: --master NAME=ADDRESS. See kybern certs --help.");
  const algorithm = KEY_ALGORITHMS.find((name) => name === flags["encryption-algorithm"]);
  if (algorithm === undefined) {
    throw new FlagError(`flag --encryption-algorithm takes ${KEY_ALGORITHMS.join(", ")}, not "${flags["encryption-algorithm"]}"`);
  }
  const server = flags.server || `https://${hostOfUrl(machines.hosts[0] ?? master.addresses[0] ?? master.name)}:6443`;
  const written = await createAssets({
    dir,
    machines,
    server,
    algorithm,
    now: realClock.now(),
    newToken,
  });
  process.stdout.write(written.length === 0 ? `All is there in ${dir}.\n` : `Wrote to ${dir}: ${written.join(", ")}.\n`);
}

function readMachines(flags: ParsedFlags<typeof certsCreateFlags>): Machines {
  try {
    return {
      masters: machinesOf("--master", flags.master),
      workers: machinesOf("--worker", flags.worker),
      hosts: flags["load-balancer"],
      serviceIp: firstAddress(flags["service-cluster-ip-range"]),
      clusterDomain: flags["cluster-domain"],
    };
  } catch (error) {
    if (error instanceof RangeError) throw new FlagError(error.message);
    throw error;
  }
}

function hostOfUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function newToken(): string {
  return Buffer.from(systemRandom.bytes(TOKEN_BYTES)).toString("hex");
}
