import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { realClock } from "#base/clock.ts";
import { realFolderWatcher } from "#base/folder-watcher.ts";
import { realHostFiles } from "#base/host-files.ts";
import { kubeletServerHost } from "#kubelet/kubelet-server-host.ts";
import { hostLogFiles } from "#kubelet/logs/host-log-files.ts";
import type { Agent } from "./agent.ts";
import type { Basis } from "./basis.ts";
import { foldersOf } from "./parts.ts";
import { openKubeletPorts } from "./ports.ts";
import { KeptServing } from "./serving.ts";
import type { Started } from "./started.ts";
import { hostCadvisor, hostStats } from "./stats.ts";

/** Flags that say who may ask the kubelet. */
const WHO_MAY_ASK = ["anonymous-auth", "authorization-mode", "authentication-token-webhook", "client-ca-file"];

/** Opens the ports of a kubelet that runs, with the certificate that it serves. */
export async function openPorts(basis: Basis, { agent, volumes }: Agent, started: Started): Promise<void> {
  const { start, configuration, fromFile, nodeName, runtime, api, node, metrics } = basis;
  const { flags, given, isFormer, logger } = start;
  const client = api?.client;
  const serving = await KeptServing.start({
    configuration,
    certDir: flags["cert-dir"],
    nodeName,
    hostname: nodeName,
    addresses: () => node.addresses(),
    client,
    logger,
  });
  started.add(() => serving.close());
  const host = kubeletServerHost(agent, {
    nodeName,
    runtime: runtime.runtime,
    logFiles: hostLogFiles({ files: realHostFiles, watchFolder: realFolderWatcher, clock: realClock }),
    startedAtMs: realClock.now(),
    volumeStats: (pod) => volumes.stats(pod),
    dialStreaming: (url) => dial(url.hostname, Number(url.port)),
  });
  const ports = await openKubeletPorts({
    configuration,
    host: {
      ...host,
      ...hostStats(flags["root-dir"], runtime.images),
      ...(await hostCadvisor(configuration.cgroupRoot ?? "", runtime.runtime)),
      configuration,
      metrics,
      certificates: { client: api?.certificate, server: serving.issued },
      checkpointDir: foldersOf(flags["root-dir"]).checkpoints,
    },
    serving,
    client,
    address: api?.address,
    isFormer,
    saysWhoMayAsk: fromFile || WHO_MAY_ASK.some((name) => given.has(name)),
    saysReadOnlyPort: fromFile || given.has("read-only-port"),
    logger,
  });
  started.add(() => ports.close());
}

function dial(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => resolve(socket));
    socket.once("error", reject);
  });
}
