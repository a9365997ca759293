import { createServer } from "node:net";
import { FlagError } from "#component-base/flags.ts";
import { silentLogger } from "#component-base/logging.ts";
import { NoRuntimeError } from "#cri/remote/endpoint.ts";
import { runtimeSocket } from "../runtime-socket.ts";
import { StartupError } from "../startup-error.ts";

/** What containers of `kybern up` run on: `auto` takes containerd where it is there and the user may. */
export const NODE_RUNTIMES = ["auto", "containerd", "simulated"] as const;
/** Where a kubelet listens. */
const KUBELET_PORT = 10250;

/** What `kybern up` is told of its nodes. */
export interface NodeRuntimeRequest {
  readonly asked: string;
  /** `--container-runtime-endpoint`. */
  readonly endpoint: string;
  /** Whether a number of simulated nodes was asked for. */
  readonly wantsSimulated: boolean;
}

/** Whether this machine becomes a node, or else why not. */
export type NodeRuntimeChoice =
  | { readonly real: true; readonly runtime: string }
  /** `why` is for a line of the banner, empty where nobody asks; `detail` says what to do. */
  | { readonly real: false; readonly why: string; readonly detail?: string };

/** Finds out what containers run on. Throws a {@link FlagError} for what is none, and a {@link StartupError} where `containerd` was asked for in vain. */
export async function chooseNodeRuntime({ asked, endpoint, wantsSimulated }: NodeRuntimeRequest): Promise<NodeRuntimeChoice> {
  if (!NODE_RUNTIMES.some((known) => known === asked)) {
    throw new FlagError(`flag --node-runtime takes ${NODE_RUNTIMES.join(", ")}, not "${asked}"`);
  }
  if (asked === "simulated" || (asked === "auto" && wantsSimulated)) return { real: false, why: "" };
  const found = await probe(endpoint);
  if (found.real || asked === "auto") return found;
  throw new StartupError(`--node-runtime=containerd cannot be had: ${found.detail ?? found.why}`);
}

async function probe(endpoint: string): Promise<NodeRuntimeChoice> {
  if (process.platform !== "linux") return { real: false, why: "containers need Linux" };
  if (process.getuid?.() !== 0) return { real: false, why: "this user is not root" };
  try {
    // Most machines need no more than a look for a socket to know.
    await runtimeSocket(endpoint);
    const { connectRuntime } = await import("../kubelet/runtime.ts");
    const connected = await connectRuntime({ containerRuntimeEndpoint: endpoint }, silentLogger);
    connected.close();
    if (await isFree(KUBELET_PORT)) return { real: true, runtime: connected.name };
    return { real: false, why: `port ${KUBELET_PORT} is in use, by another kubelet maybe` };
  } catch (error) {
    const detail = (error as Error).message;
    const isAbsent = error instanceof NoRuntimeError && endpoint === "";
    return { real: false, why: isAbsent ? "no container runtime was found: see --container-runtime-endpoint" : detail, detail };
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => done(false));
    server.listen(port, "0.0.0.0", () => server.close(() => done(true)));
  });
}
