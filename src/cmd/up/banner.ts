import type { ParsedFlags } from "#component-base/flags.ts";
import type { ControlPlane } from "#envtest/control-plane.ts";
import { kybernVersion } from "../version.ts";
import type { upFlags } from "./flags.ts";
import type { UpMachine } from "./machine.ts";
import type { NodeRuntimeChoice } from "./node-choice.ts";

/** What `kybern up` shows of itself. */
export interface UpFacts {
  readonly plane: Pick<ControlPlane, "apiServer">;
  readonly kubeconfigPath: string;
  readonly readyMs: number;
  readonly choice: NodeRuntimeChoice;
  /** This machine as a node. */
  readonly machine: UpMachine | undefined;
}

/** Columns of a terminal that all lines fit in, as far as they have no names of files. */
const COLUMNS = 100;
/** What stands before the values. */
const INDENT = 16;

function placesOfState(flags: ParsedFlags<typeof upFlags>): readonly string[] {
  return flags["storage-backend"] === "memory" ? ["in memory, gone with the process"] : flags["etcd-servers"];
}

function machineLines({ dnsAddress, proxyMode }: Partial<UpMachine> = {}): string {
  const dns = dnsAddress === undefined ? "" : `\n  DNS           ${dnsAddress}`;
  return `${dns}${proxyMode === undefined ? "" : `\n  Services      by ${proxyMode}`}`;
}

/** What runs, and how to use it. */
export function banner(flags: ParsedFlags<typeof upFlags>, { plane, kubeconfigPath, readyMs, choice, machine }: UpFacts): string {
  const snapshot = flags["from-etcd-snapshot"];
  if (snapshot !== "") {
    return `
Kybern ${kybernVersion()} shows ${snapshot}, for reading only.

  API server    ${plane.apiServer.url}

Use it from another terminal:

  export KUBECONFIG=${kubeconfigPath}
  kubectl get all --all-namespaces

Ctrl-C ends it, and nothing is left of it.
`;
  }
  const simulated = flags.nodes === 1 ? "1 simulated node" : `${flags.nodes} simulated nodes`;
  const nodes =
    machine === undefined ? [simulated] : [`node ${machine.kubelet.nodeName}`, ...(flags.nodes === 0 ? [] : [simulated])];
  return `
Kybern ${kybernVersion()} is up: Kubernetes v1.36 in one process, ready after ${Math.round(readyMs)} ms.

  API server    ${plane.apiServer.url}
  runs          ${["kube-apiserver", ...flags.components, ...nodes].join(", ")}
  containers    ${containersLine(choice, machine)}${machineLines(machine)}
  data          ${[...placesOfState(flags), flags["data-dir"]].join(", ")}

Use it from another terminal:

  export KUBECONFIG=${kubeconfigPath}
  kubectl get nodes

Ctrl-C stops it. The next start on the same data directory goes on from here.
`;
}

/** What containers run on, in one line. */
export function containersLine(choice: NodeRuntimeChoice, machine: UpMachine | undefined): string {
  if (machine !== undefined) return `real ones, on ${machine.kubelet.runtime}`;
  if (choice.real || choice.why === "") return "simulated";
  const room = COLUMNS - INDENT - "simulated ()".length;
  // Who asks for `--node-runtime=containerd` is told all of it.
  const [first = ""] = choice.why.split("\n");
  return `simulated (${first.length <= room ? first : `${first.slice(0, room - 1)}…`})`;
}
