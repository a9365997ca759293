import { readFile } from "node:fs/promises";
import type { Clock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { describeFlags, FlagError, type ParsedFlags, parseFlags } from "#component-base/flags.ts";
import { accountClient } from "#kube-controller-manager/accounts/account-client.ts";
import { accountOf } from "#kube-controller-manager/accounts/account-names.ts";
import { type ControllerManagerOptions, startControllerManager } from "#kube-controller-manager/controller-manager.ts";
import { controllers } from "#kube-controller-manager/controllers.ts";
import { startElectedControllerManager } from "#kube-controller-manager/elected-controller-manager.ts";
import type { ControllerOptions } from "#kube-controller-manager/framework/controller.ts";
import { signCertificateRequest } from "#pki/certificate.ts";
import { loadSigningKeys } from "#pki/key-pair.ts";
import { clientOf } from "./api-client.ts";
import { chosenControllers } from "./chosen-controllers.ts";
import { ControllerMetrics } from "./controller-metrics.ts";
import { type ComponentFlags, shownElection } from "./flags/component-flags.ts";
import { durationMs, givenFlags } from "./flags/flag-specs.ts";
import { sayFormerFlags } from "./flags/former-flags.ts";
import { loggerOf } from "./flags/log-flags.ts";
import { nodeCidrs } from "./flags/node-cidr-flags.ts";
import { CONCURRENCY_FLAGS, formerControllerManagerFlags, kubeControllerManagerFlags } from "./kube-controller-manager-flags.ts";
import type { ProgramCall } from "./program-call.ts";
import { type ComponentContext, type RunningComponent, runComponent } from "./run-component.ts";
import { explainStartFailure } from "./startup-error.ts";
import { printVersion } from "./version.ts";

type Flags = ParsedFlags<typeof kubeControllerManagerFlags>;

const NAME = "kube-controller-manager";
const KNOWN = controllers.map(({ name }) => name);

/** `kybern kube-controller-manager`: the controllers, for an API server that runs elsewhere. */
export async function kubeControllerManager({ args, isHyperkube }: ProgramCall): Promise<void> {
  const flags = parseFlags(kubeControllerManagerFlags, args) as Flags;
  if (flags.help) {
    process.stdout.write(
      `The controllers, for an API server that runs elsewhere.\n\nUsage: kybern ${NAME} --kubeconfig=FILE|--master=URL [flags]\n\n${describeFlags(kubeControllerManagerFlags)}\n`,
    );
    return;
  }
  if (flags.version) return printVersion();
  const given = givenFlags(args);
  sayFormerFlags(formerControllerManagerFlags, given, loggerOf(NAME, flags));
  const names = chosenControllers(flags.controllers, KNOWN);
  const options = await controllerOptions(flags).catch((error: unknown) =>
    explainStartFailure(error, { dataDir: "", etcdServers: [], address: "", port: 0 }),
  );
  const workers = workersOf(flags, given);
  const metrics = new ControllerMetrics();
  await runComponent(
    {
      name: NAME,
      plainPort: 10252,
      configuration: () => ({ "kubecontrollermanager.config.k8s.io": shown(flags, names) }),
      metrics: () => metrics.text(),
      start: (context) => start(context, flags, { names, options, workers, metrics }),
    },
    { flags: flags as ComponentFlags, given, isHyperkube },
  );
}

interface Settings {
  readonly names: readonly string[];
  readonly options: ControllerOptions;
  readonly workers: Readonly<Record<string, number>>;
  readonly metrics: ControllerMetrics;
}

async function start(context: ComponentContext, flags: Flags, settings: Settings): Promise<RunningComponent> {
  const { client, address, clock, logger, signal, identity, election } = context;
  const { names, options, workers, metrics } = settings;
  const rootCa = options.rootCa ?? address.ca;
  const accounts = flags["use-service-account-credentials"] ? accountClients(context, clock) : undefined;
  const manager: ControllerManagerOptions = {
    client,
    clock,
    random: systemRandom,
    signal,
    controllers: controllers.filter(({ name }) => names.includes(name)),
    options: { ...options, ...(rootCa === undefined ? {} : { rootCa }) },
    workers,
    ...(accounts === undefined ? {} : { clientFor: accounts.clientFor }),
    observer: metrics,
    logger,
    onInformerError: (resource, error) => logger.warn({ resource, err: error }, "an informer of the controller manager failed"),
  };
  const running = flags["leader-elect"]
    ? startElectedControllerManager({ ...manager, identity, election })
    : await startControllerManager(manager);
  return {
    // Upstream is well as long as it runs, whether or not the API server is there.
    healthy: () => true,
    stop: async () => {
      await running.stop();
      accounts?.close();
    },
  };
}

interface Accounts {
  readonly clientFor: (controller: string) => Client;
  close(): void;
}

/** One client for each account, which several controllers may share. */
function accountClients({ client, address }: ComponentContext, clock: Clock): Accounts {
  const { server, ca } = address;
  const connect = (account: string) => (token: string) =>
    clientOf({ server, ...(ca === undefined ? {} : { ca }), token }, `${NAME}/${account}`, clock);
  const made = new Map<string, ReturnType<typeof accountClient>>();
  return {
    clientFor: (controller) => {
      const account = accountOf(controller);
      const own = made.get(account) ?? accountClient({ root: client, connect: connect(account), account, clock });
      made.set(account, own);
      return own;
    },
    close: () => {
      for (const own of made.values()) own.close();
    },
  };
}

async function controllerOptions(flags: Flags): Promise<ControllerOptions> {
  const pem = async (path: string): Promise<string | undefined> => (path === "" ? undefined : readFile(path, "utf8"));
  const [rootCa, tokenKey, cert, key] = await Promise.all([
    pem(flags["root-ca-file"]),
    pem(flags["service-account-private-key-file"]),
    pem(flags["cluster-signing-cert-file"]),
    pem(flags["cluster-signing-key-file"]),
  ]);
  if ((cert === undefined) !== (key === undefined)) {
    throw new FlagError("flags --cluster-signing-cert-file and --cluster-signing-key-file go together");
  }
  const former = (flags as Readonly<Record<string, unknown>>)["experimental-cluster-signing-duration"];
  const duration = typeof former === "string" && former !== "" ? former : flags["cluster-signing-duration"];
  return {
    ...(rootCa === undefined ? {} : { rootCa }),
    ...(tokenKey === undefined ? {} : { serviceAccountSigningKey: async () => loadSigningKeys(tokenKey) }),
    ...(cert === undefined || key === undefined
      ? {}
      : { clusterSigner: (request) => signCertificateRequest({ cert, key }, request) }),
    clusterSigningDurationMs: durationMs("cluster-signing-duration", duration),
    nodeMonitorPeriodMs: durationMs("node-monitor-period", flags["node-monitor-period"]),
    nodeMonitorGracePeriodMs: durationMs("node-monitor-grace-period", flags["node-monitor-grace-period"]),
    nodeStartupGracePeriodMs: durationMs("node-startup-grace-period", flags["node-startup-grace-period"]),
    terminatedPodGcThreshold: flags["terminated-pod-gc-threshold"] || Number.POSITIVE_INFINITY,
    ...nodeCidrs(flags),
  };
}

function workersOf(flags: Flags, given: ReadonlySet<string>): Readonly<Record<string, number>> {
  const asked = Object.entries(CONCURRENCY_FLAGS).filter(([flag]) => given.has(flag));
  const values = flags as Readonly<Record<string, unknown>>;
  return Object.fromEntries(asked.map(([flag, [controller]]) => [controller, Number(values[flag])]));
}

/** In the form of upstream's `/configz`: what this version knows of it. */
function shown(flags: Flags, names: readonly string[]): object {
  return {
    Generic: {
      Port: flags["secure-port"],
      Address: flags["bind-address"],
      Controllers: flags.controllers,
      LeaderElection: shownElection(flags),
      Running: names,
    },
    KubeCloudShared: {
      AllocateNodeCIDRs: flags["allocate-node-cidrs"],
      ClusterCIDR: flags["cluster-cidr"],
      UseServiceAccountCredentials: flags["use-service-account-credentials"],
    },
    CSRSigningController: {
      ClusterSigningCertFile: flags["cluster-signing-cert-file"],
      ClusterSigningKeyFile: flags["cluster-signing-key-file"],
      ClusterSigningDuration: flags["cluster-signing-duration"],
    },
    NodeIPAMController: {
      ServiceCIDR: flags["service-cluster-ip-range"].split(",")[0],
      SecondaryServiceCIDR: flags["service-cluster-ip-range"].split(",")[1] ?? "",
      NodeCIDRMaskSize: flags["node-cidr-mask-size"],
      NodeCIDRMaskSizeIPv4: flags["node-cidr-mask-size-ipv4"],
      NodeCIDRMaskSizeIPv6: flags["node-cidr-mask-size-ipv6"],
    },
    NodeLifecycleController: {
      NodeStartupGracePeriod: flags["node-startup-grace-period"],
      NodeMonitorGracePeriod: flags["node-monitor-grace-period"],
    },
    PodGCController: { TerminatedPodGCThreshold: flags["terminated-pod-gc-threshold"] },
    SAController: {
      ServiceAccountKeyFile: flags["service-account-private-key-file"],
      RootCAFile: flags["root-ca-file"],
    },
  };
}
