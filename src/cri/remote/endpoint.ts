/** Where runtimes listen: containerd, CRI-O, and Docker with cri-dockerd. The first that is there is taken, as kubeadm lists them. */
const USUAL_SOCKETS: readonly string[] = ["/run/containerd/containerd.sock", "/run/crio/crio.sock", "/var/run/cri-dockerd.sock"];

const FLAG = "--container-runtime-endpoint";

/** No runtime could be found; the message says what to do. */
export class NoRuntimeError extends Error {
  override readonly name = "NoRuntimeError";
}

/** The path of a socket that `--container-runtime-endpoint` or `--image-service-endpoint` names: `unix:///path`, or a plain path. */
export function socketPathOf(endpoint: string): string {
  const scheme = /^([a-z]+):\/\//i.exec(endpoint)?.[1]?.toLowerCase() ?? "unix";
  const path = endpoint.replace(/^[a-z]+:\/\//i, "");
  if (scheme !== "unix")
    throw new NoRuntimeError(`"${endpoint}" cannot be used as ${FLAG}: only Unix sockets can, as unix:///run/x.sock`);
  if (!path.startsWith("/"))
    throw new NoRuntimeError(`"${endpoint}" cannot be used as ${FLAG}: the path must be whole, as in unix:///run/x.sock`);
  return path;
}

/** The socket of the node's runtime: what the flag names, which need not be there yet, else the first usual one that is. */
export async function findRuntimeSocket(
  endpoint: string | undefined,
  isSocket: (path: string) => Promise<boolean>,
): Promise<string> {
  if (endpoint !== undefined && endpoint !== "") return socketPathOf(endpoint);
  for (const path of USUAL_SOCKETS) if (await isSocket(path)) return path;
  throw new NoRuntimeError(
    `no container runtime was found: there is no socket at ${USUAL_SOCKETS.join(", ")}. Install one and start it (on Debian ` +
      `and Ubuntu: apt-get install containerd), or name the socket of one that runs: ${FLAG}=unix:///run/x.sock`,
  );
}
