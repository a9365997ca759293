import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { describeFlags, FlagError, type ParsedFlags, parseFlags } from "#component-base/flags.ts";
import { createLogger, type LogLevel } from "#component-base/logging.ts";
import {
  CONTROL_PLANE_COMPONENTS,
  type ControlPlane,
  type ControlPlaneComponent,
  startControlPlane,
} from "#envtest/control-plane.ts";
import { type ClusterAssets, ensureClusterAssets } from "#pki/cluster-assets.ts";
import { renderKubeconfig } from "#pki/kubeconfig.ts";
import { durationMs, givenFlags } from "./flags/flag-specs.ts";
import { readRuntimeConfig } from "./flags/runtime-config-flag.ts";
import { securityOptions } from "./flags/security-flags.ts";
import { readServiceRanges } from "./flags/service-ranges-flag.ts";
import { servingOptions } from "./flags/serving-flags.ts";
import { etcdAddresses, openOverrides, storageSettings } from "./flags/storage-flags.ts";
import { keepCertificates } from "./keep-certificates.ts";
import { kubeletClientOptions } from "./kubelet/client-flags.ts";
import { databaseKey, openStore } from "./open-store.ts";
import { cpuProfile, heapProfile } from "./profiles.ts";
import { untilInterrupted } from "./signals.ts";
import { explainStartFailure } from "./startup-error.ts";
import { banner } from "./up/banner.ts";
import { upFlags } from "./up/flags.ts";
import type { UpMachine } from "./up/machine.ts";
import { chooseNodeRuntime, type NodeRuntimeChoice } from "./up/node-choice.ts";

type UpFlags = ParsedFlags<typeof upFlags>;

const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"];

/** `kybern up`: brings a cluster up in this process and runs until interrupted. */
export async function up(args: readonly string[]): Promise<void> {
  const given = parseFlags(upFlags, args);
  if (given.help) {
    process.stdout.write(
      `Brings up a whole cluster in this process and runs until Ctrl-C.\n\nUsage: kybern up [flags]\n\n${describeFlags(upFlags)}\n`,
    );
    return;
  }
  if (!LOG_LEVELS.includes(given["log-level"]))
    throw new FlagError(`flag --log-level takes one of ${LOG_LEVELS.join(", ")}, not "${given["log-level"]}"`);
  const components = componentsOf(given);
  const interrupted = untilInterrupted(durationMs("shutdown-delay-duration", given["shutdown-delay-duration"]));
  if (given["from-etcd-snapshot"] === "") {
    const wantsSimulated = givenFlags(args).has("nodes");
    const node = await chooseNodeRuntime({
      asked: given["node-runtime"],
      endpoint: given["container-runtime-endpoint"],
      wantsSimulated,
    });
    return run(node.real && !wantsSimulated ? { ...given, nodes: 0 } : given, components, interrupted, node);
  }
  const { openSnapshot } = await import("./snapshot-view.ts");
  const snapshot = await openSnapshot(given);
  try {
    await run({ ...given, ...snapshot.flags }, [], interrupted, { real: false, why: "" });
  } finally {
    await snapshot.close();
  }
}

async function run(
  flags: UpFlags,
  components: readonly ControlPlaneComponent[],
  interrupted: Promise<void>,
  node: NodeRuntimeChoice,
): Promise<void> {
  const running = await start(flags, components, node).catch((error) =>
    explainStartFailure(error, {
      dataDir: flags["data-dir"],
      etcdServers: etcdAddresses(flags),
      address: flags["bind-address"],
      port: flags["secure-port"],
    }),
  );
  process.stdout.write(banner(flags, { ...running, choice: node }));
  await interrupted;
  process.stdout.write("Stopping ...\n");
  await running.machine?.close();
  await running.plane.stop();
  await running.close();
  process.stdout.write("Stopped.\n");
}

interface Running {
  readonly plane: ControlPlane;
  /** Closes the stores. */
  readonly close: () => Promise<void>;
  readonly kubeconfigPath: string;
  /** This machine as a node. */
  readonly machine: UpMachine | undefined;
  readonly readyMs: number;
}

function componentsOf({ components }: UpFlags): readonly ControlPlaneComponent[] {
  const unknown = components.find((name) => !CONTROL_PLANE_COMPONENTS.some((known) => known === name));
  if (unknown === undefined) return components as readonly ControlPlaneComponent[];
  throw new FlagError(`flag --components takes ${CONTROL_PLANE_COMPONENTS.join(", ")}, not "${unknown}"`);
}

async function start(flags: UpFlags, components: readonly ControlPlaneComponent[], node: NodeRuntimeChoice): Promise<Running> {
  const dir = flags["data-dir"];
  const bindAddress = flags["bind-address"];
  const serviceClusterIpRange = readServiceRanges(flags["service-cluster-ip-range"]);
  const security = securityOptions(flags);
  const serving = servingOptions(flags);
  const kubelet = await kubeletClientOptions(flags);
  const runtimeConfig = readRuntimeConfig(flags["runtime-config"]);
  const logger = createLogger({ component: "kybern", level: flags["log-level"] as LogLevel });
  const settings = storageSettings(flags, logger);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const clock = realClock;
  const ensureAssets = () => ensureClusterAssets({ dir: join(dir, "pki"), clock, hosts: [bindAddress], serviceClusterIpRange });
  const [kv, assets] = await Promise.all([openStore(flags, clock), ensureAssets()]);
  const kubeconfigPath = join(dir, "admin.kubeconfig");
  const writeKubeconfig = async (server: string, { admin, ca }: ClusterAssets): Promise<void> => {
    const text = renderKubeconfig({ server, user: "kubernetes-admin", ca: ca.cert, cert: admin.cert, key: admin.key });
    // Whole or not at all: who waits for the file never reads a part of it.
    await writeFile(`${kubeconfigPath}.tmp`, text, { mode: 0o600 });
    await rename(`${kubeconfigPath}.tmp`, kubeconfigPath);
  };
  const overrides = await openOverrides(flags, clock).catch(async (error) => {
    await kv.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    await Promise.all([kv, ...new Set(overrides.map((each) => each.kv))].map((store) => store.close()));
  };
  // What simulated nodes do not need is not loaded for them.
  const own = node.real ? await import("./up/machine.ts") : undefined;
  const gateway = await own?.takeGateway(logger);
  const gated = gateway !== undefined && own?.needsGate(bindAddress) === true ? gateway : "";
  try {
    readServiceRanges(serviceClusterIpRange, { bindAddress, advertiseAddress: gated });
    const plane = await startControlPlane({
      kv,
      clock,
      random: systemRandom,
      logger,
      assets,
      bindAddress,
      ...(gated === "" ? {} : { advertiseAddress: gated }),
      port: flags["secure-port"],
      serviceClusterIpRange,
      ...security,
      ...(security.encryption && { encryption: { ...security.encryption, databaseKey: databaseKey(flags) } }),
      storage: { ...settings, overrides, readOnly: flags["from-etcd-snapshot"] !== "" },
      kubelet,
      serving,
      ...(flags.profiling && { profiles: { cpu: cpuProfile, heap: heapProfile } }),
      maxConnectionBytesPerSecond: flags["max-connection-bytes-per-sec"],
      swaggerUi: flags["enable-swagger-ui"],
      runtimeConfig,
      components,
      nodes: flags.nodes,
      onListening: (url) => writeKubeconfig(url, assets),
    });
    keepCertificates({
      assets,
      ensure: ensureAssets,
      clock,
      logger,
      onChange: async (next) => {
        await plane.useCertificates(next);
        await writeKubeconfig(plane.apiServer.url, next);
      },
    });
    const machine = await own
      ?.startUpMachine({
        plane,
        assets,
        dataDir: dir,
        serviceClusterIpRange,
        containerRuntimeEndpoint: flags["container-runtime-endpoint"],
        gateway,
        bindAddress,
        logger,
      })
      .catch(async (error: unknown) => {
        await plane.stop();
        throw error;
      });
    return { plane, close, kubeconfigPath, machine, readyMs: process.uptime() * 1000 };
  } catch (error) {
    await close();
    throw error;
  }
}
