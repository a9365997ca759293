import type { Kubelet } from "#kubelet/kubelet.ts";
import { shutdownGroups } from "#kubelet/nodeshutdown/shutdown-groups.ts";
import { keepUp, startAgent } from "./agent.ts";
import { type Basis, findBasis, type KubeletStart } from "./basis.ts";
import { openPorts } from "./listen.ts";
import { holdShutdown } from "./shutdown.ts";
import { Started } from "./started.ts";

/** A kubelet that runs. */
export interface RunningKubelet {
  readonly nodeName: string;
  /** `containerd://1.7.24`. */
  readonly runtime: string;
  /** Ends it; containers go on. */
  close(): Promise<void>;
}

/** Starts the node agent of this machine. Resolves when it looks after its pods and its ports are open. */
export async function startKubelet(start: KubeletStart): Promise<RunningKubelet> {
  const started = new Started();
  try {
    const basis = await findBasis(start, started);
    const running = await startAgent(basis);
    started.add(() => running.agent.close());
    await openPorts(basis, running, started);
    keepUp(basis, running, started);
    const { nodeName, runtime, api, configuration, node } = basis;
    const reporter = api === undefined ? undefined : node.report(api.client);
    if (reporter !== undefined) started.add(() => reporter.close());
    if (start.ownsProcess) await awaitShutdown(basis, running.agent, async () => reporter?.sync(), started);
    start.logger.info({ node: nodeName, port: configuration.port, server: api?.address.server }, "kubelet runs");
    return { nodeName, runtime: runtime.name, close: () => started.close() };
  } catch (error) {
    await started.close();
    throw error;
  }
}

/** Ends pods in time when the machine goes down, where the configuration asks for it. */
async function awaitShutdown(
  { start, configuration, node }: Basis,
  agent: Kubelet,
  tell: () => Promise<void>,
  started: Started,
): Promise<void> {
  const { logger } = start;
  const groups = shutdownGroups(configuration);
  const periodMs = groups.reduce((sum, { graceSeconds }) => sum + graceSeconds * 1000, 0);
  const onShutdown = async (): Promise<void> => {
    node.shutDown();
    await Promise.all([tell(), agent.shutDown()]);
  };
  try {
    const held = await holdShutdown({ periodMs, onShutdown, logger });
    started.add(() => held.close());
  } catch (error) {
    logger.warn({ err: error }, "a shutdown of the machine will not be held up");
  }
}
