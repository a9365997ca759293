import { FlagError } from "#component-base/flags.ts";
import { type ProgramCall, programCall } from "./program-call.ts";
import { endProcess } from "./signals.ts";
import { StartupError } from "./startup-error.ts";

/** One program of the package: loaded only when it is asked for, so that each starts fast. */
interface Program {
  readonly summary: string;
  readonly run: (call: ProgramCall) => Promise<void>;
}

const programs: Readonly<Record<string, Program>> = {
  up: {
    summary: "A whole cluster in one process, on an embedded store",
    run: async ({ args }) => (await import("./up.ts")).up(args),
  },
  "kube-apiserver": {
    summary: "The API server, on etcd",
    run: async (call) => (await import("./kube-apiserver.ts")).kubeApiServer(call),
  },
  "kube-controller-manager": {
    summary: "The controllers, for an API server that runs elsewhere",
    run: async (call) => (await import("./kube-controller-manager.ts")).kubeControllerManager(call),
  },
  "kube-scheduler": {
    summary: "The scheduler, for an API server that runs elsewhere",
    run: async (call) => (await import("./kube-scheduler.ts")).kubeScheduler(call),
  },
  kubelet: {
    summary: "The node agent: runs pods on this machine's container runtime",
    run: async (call) => (await import("./kubelet.ts")).kubelet(call),
  },
  "kube-proxy": {
    summary: "Gives the addresses of Services a meaning on a node",
    run: async (call) => (await import("./kube-proxy.ts")).kubeProxy(call),
  },
  "cluster-dns": {
    summary: "Tells the addresses behind names of Services and pods",
    run: async (call) => (await import("./cluster-dns.ts")).clusterDns(call),
  },
  certs: {
    summary: "Shows when a cluster's certificates end, and makes new ones",
    run: async ({ args }) => (await import("./certs.ts")).certs(args),
  },
  config: {
    summary: "Prints configurations for programs beside the cluster: HAProxy",
    run: async ({ args }) => (await import("./config.ts")).config(args),
  },
  "ldap-authn": {
    summary: "A token webhook in front of an LDAP directory",
    run: async ({ args }) => (await import("./ldap-authn.ts")).ldapAuthn(args),
  },
  migrate: {
    summary: "Copies a cluster between the embedded store and etcd",
    run: async ({ args }) => (await import("./migrate.ts")).migrate(args),
  },
  version: {
    summary: "The versions of Kybern and of the API that it serves",
    run: async () => (await import("./version.ts")).printVersion(),
  },
};

/** Programs of Kubernetes that links and guides name, and that this package does not have yet. */
const ABSENT: Readonly<Record<string, string>> = {
  kubeadm: "kybern up and the separate programs start a cluster",
};

const USAGE = `Kybern: Kubernetes' control plane and node agent in one program.

Usage: kybern COMMAND [flags]

Commands:
${Object.entries(programs)
  .map(([name, { summary }]) => `  ${name.padEnd(24)} ${summary}`)
  .join("\n")}

\`kybern COMMAND --help\` lists a command's flags.
`;

/** Exit codes: 0 done, 1 could not start or failed, 2 the command line is wrong. */
async function main(file: string, args: readonly string[]): Promise<number> {
  const { name, ...call } = programCall(file, args);
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(USAGE);
    return name === undefined ? 2 : 0;
  }
  const program = programs[name];
  if (ABSENT[name] !== undefined) {
    process.stderr.write(`kybern: there is no ${name} in this version: ${ABSENT[name]}. See kybern --help.\n`);
    return 1;
  }
  if (program === undefined) {
    process.stderr.write(
      `kybern: unknown command "${name}". Commands: ${Object.keys(programs).join(", ")}. See kybern --help.\n`,
    );
    return 2;
  }
  try {
    await program.run(call);
    return 0;
  } catch (error) {
    if (error instanceof FlagError) {
      process.stderr.write(`kybern ${name}: ${error.message}\n`);
      return 2;
    }
    if (error instanceof StartupError) {
      process.stderr.write(`kybern ${name}: ${error.message}\n`);
      return 1;
    }
    throw error;
  }
}

void main(process.argv[1] ?? "", process.argv.slice(2)).then(endProcess);
