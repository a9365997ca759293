import { join, resolve } from "node:path";
import { realClock } from "#base/clock.ts";
import { realHostFiles } from "#base/host-files.ts";
import { bridgeName } from "#cni/bridge-network.ts";
import { writeNodeNetwork } from "#cni/node-network.ts";
import { parseFlags } from "#component-base/flags.ts";
import type { Logger } from "#component-base/logging.ts";
import { issueCertificate } from "#pki/certificate.ts";
import type { ClusterAssets } from "#pki/cluster-assets.ts";
import { renderKubeconfig } from "#pki/kubeconfig.ts";
import { givenFlags } from "../flags/flag-specs.ts";
import { nodeNameOf } from "../kubelet/basis.ts";
import { type KubeletFlags, kubeletFlags } from "../kubelet/flags.ts";
import { type RunningKubelet, startKubelet } from "../kubelet/start.ts";
import { CLUSTER_DOMAIN, POD_CIDR } from "./pod-network.ts";

/** What this machine is started with as a node. */
export interface UpNodeRequest {
  readonly dataDir: string;
  readonly assets: ClusterAssets;
  readonly server: string;
  readonly endpoint: string;
  readonly clusterDns: readonly string[];
  readonly logger: Logger;
}

/** The name of this machine as a node. */
export function upNodeName(): string {
  return nodeNameOf("");
}

/** Starts a kubelet in this process, on the machine's container runtime, with a network for its pods where it has none. */
export async function startUpNode(request: UpNodeRequest): Promise<RunningKubelet> {
  const { dataDir, assets, server, endpoint, clusterDns, logger } = request;
  const dir = resolve(dataDir, "kubelet");
  await realHostFiles.mkdir(dir, { recursive: true, mode: 0o750 });
  const nodeName = upNodeName();
  const user = `system:node:${nodeName}`;
  const subject = { commonName: user, organizations: ["system:nodes"], usages: ["client" as const] };
  const pair = issueCertificate(assets.ca, subject, realClock.now());
  const kubeconfig = join(dir, "kubeconfig");
  const text = renderKubeconfig({ server, user, ca: assets.ca.cert, cert: pair.cert, key: pair.key });
  await realHostFiles.writeFile(kubeconfig, text, { mode: 0o600 });
  await giveNetwork(nodeName, logger);
  const args = [
    `--kubeconfig=${kubeconfig}`,
    `--client-ca-file=${resolve(dataDir, "pki/ca.pem")}`,
    `--root-dir=${dir}`,
    `--cert-dir=${join(dir, "pki")}`,
    `--cluster-domain=${CLUSTER_DOMAIN}`,
    ...(clusterDns.length === 0 ? [] : [`--cluster-dns=${clusterDns.join(",")}`]),
    ...(endpoint === "" ? [] : [`--container-runtime-endpoint=${endpoint}`]),
    // A machine that somebody tries things on may swap.
    "--fail-swap-on=false",
  ];
  const flags = parseFlags(kubeletFlags, args) as KubeletFlags & Readonly<Record<string, unknown>>;
  return startKubelet({
    flags,
    given: givenFlags(args),
    isFormer: false,
    logger,
    signal: new AbortController().signal,
    ownsProcess: false,
  });
}

async function giveNetwork(nodeName: string, logger: Logger): Promise<void> {
  try {
    const done = await writeNodeNetwork(realHostFiles, { podCidrs: [POD_CIDR], bridge: bridgeName(nodeName), masquerade: true });
    if (done.outcome === "foreign") logger.info({ file: done.file }, "pods get the network that is configured here");
  } catch (error) {
    logger.warn({ err: error }, "no network for pods could be configured: those that need one do not start");
  }
}
