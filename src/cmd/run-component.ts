import { readFile } from "node:fs/promises";
import type { ConfigMap } from "#api/generated/core/v1.ts";
import { type Clock, realClock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import type { KubeconfigContext } from "#client/kubeconfig.ts";
import type { ElectionSettings } from "#client/lease-candidate.ts";
import type { RestClient } from "#client/rest-client.ts";
import type { Logger } from "#component-base/logging.ts";
import type { CertificatePair } from "#pki/key-pair.ts";
import { apiServerAddress, clientOf, readKubeconfig } from "./api-client.ts";
import { startComponentServer } from "./component-server.ts";
import { DelegatedAuth } from "./delegated-auth.ts";
import { type ComponentFlags, electionOf, formerComponentFlags } from "./flags/component-flags.ts";
import { readFeatureGates } from "./flags/feature-gates.ts";
import { sayFormerFlags } from "./flags/former-flags.ts";
import { loggerOf } from "./flags/log-flags.ts";
import { notifyReady } from "./notify-ready.ts";
import { sample } from "./process-metrics.ts";
import { certificateFiles, servingCertificate } from "./serving-certificate.ts";
import { untilInterrupted } from "./signals.ts";
import { explainStartFailure, StartupError } from "./startup-error.ts";
import { watchFiles } from "./watched-files.ts";

const CONFIG_MAPS: ResourceId = { group: "", version: "v1", resource: "configmaps" };
/** How long a start waits for the authorities that the cluster publishes. */
const LOOKUP_TRIES = 10;
const LOOKUP_PAUSE_MS = 1_000;

/** What a component is started with. */
export interface ComponentContext {
  readonly client: RestClient;
  readonly address: KubeconfigContext;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly identity: string;
  readonly election: ElectionSettings;
}

/** A component at work. */
export interface RunningComponent {
  healthy(): boolean;
  stop(): Promise<void>;
}

/** A program that works for an API server elsewhere, and shows by ports of its own how it is. */
export interface Component {
  readonly name: string;
  /** Upstream's port without TLS, of former years. */
  readonly plainPort: number;
  readonly start: (context: ComponentContext) => Promise<RunningComponent>;
  readonly configuration: () => Readonly<Record<string, unknown>>;
  /** Metrics of its own. */
  readonly metrics?: () => string;
}

/** How the program was called. */
export interface ComponentCall {
  readonly flags: ComponentFlags;
  readonly given: ReadonlySet<string>;
  readonly isHyperkube: boolean;
}

/** Runs a component until it is interrupted. Rejects with what its user can mend. */
export async function runComponent(component: Component, { flags, given, isHyperkube }: ComponentCall): Promise<void> {
  const logger = loggerOf(component.name, flags);
  sayFormerFlags(formerComponentFlags, given, logger);
  readFeatureGates(flags["feature-gates"], logger);
  const interrupted = untilInterrupted();
  const stopped = new AbortController();
  const failed = {
    address: flags["bind-address"],
    port: flags["secure-port"],
    dataDir: flags["cert-dir"],
    dirFlag: "--cert-dir",
  };
  const explain = (error: unknown): never => explainStartFailure(error, { ...failed, etcdServers: [] });
  const address = await apiServerAddress(flags).catch(explain);
  const client = clientOf(address, component.name, realClock);
  const { identity, election } = electionOf(flags);
  let leads = !flags["leader-elect"];
  let running: RunningComponent | undefined;
  const onNewLeader = (leader: string): void => {
    leads = leader === identity;
    logger.info({ leader }, leads ? "this program leads" : "another leads");
  };
  const server = await openPorts(component, { flags, given, isHyperkube }, logger, {
    healthy: () => running?.healthy() ?? true,
    configuration: component.configuration,
    metrics: () => electionMetrics(component.name, leads) + (component.metrics?.() ?? ""),
    profiling: flags.profiling,
  }).catch(explain);
  logger.info({ server: address.server, port: server.port, identity }, `${component.name} runs`);
  running = await component.start({
    client,
    address,
    clock: realClock,
    logger,
    signal: stopped.signal,
    identity,
    election: { ...election, onNewLeader, onNotReleased: (err) => logger.warn({ err }, "Failed to release lease") },
  });
  await notifyReady(logger);
  await interrupted;
  await running.stop();
  stopped.abort();
  await server.stop();
  client.close();
}

async function openPorts(
  component: Component,
  { flags, given, isHyperkube }: ComponentCall,
  logger: Logger,
  facts: Pick<Parameters<typeof startComponentServer>[0], "healthy" | "configuration" | "metrics" | "profiling">,
): ReturnType<typeof startComponentServer> {
  const isPlainAsked = isHyperkube || given.has("address");
  const plainPort = given.has("port") ? flags.port : isPlainAsked ? component.plainPort : 0;
  if (plainPort !== 0) {
    logger.warn(
      { address: flags.address, port: plainPort },
      "health and metrics are shown without TLS to everybody who asks there",
    );
  }
  const securePort = flags["secure-port"];
  const secure = securePort === 0 ? undefined : await securePortOf(component.name, flags, logger);
  const server = await startComponentServer({
    ...facts,
    ...(plainPort === 0 ? {} : { plain: { bindAddress: flags.address, port: plainPort } }),
    ...(secure && { secure }),
  });
  if (secure === undefined) return server;
  const caFile = flags["client-ca-file"];
  const stopWatching = watchFiles([...certificateFiles(flags), caFile], { clock: realClock, logger }, async () => {
    const clientCas = caFile === "" ? secure.clientCas : [await readFile(caFile, "utf8")];
    server.useCertificates(await certificateOf(component.name, flags), clientCas);
  });
  const stop = (): Promise<void> => {
    stopWatching();
    return server.stop();
  };
  return { ...server, stop };
}

function certificateOf(program: string, flags: ComponentFlags): Promise<CertificatePair> {
  return servingCertificate(flags, { program, hosts: ["localhost", "127.0.0.1"], clock: realClock });
}

type SecurePort = NonNullable<Parameters<typeof startComponentServer>[0]["secure"]>;

async function securePortOf(program: string, flags: ComponentFlags, logger: Logger): Promise<SecurePort> {
  const clientFor = async (path: string): Promise<Client | undefined> =>
    path === "" ? undefined : clientOf(await readKubeconfig(path), program, realClock);
  const [authentication, authorization] = await Promise.all([
    clientFor(flags["authentication-kubeconfig"]),
    clientFor(flags["authorization-kubeconfig"]),
  ]);
  const clientCas = await clientAuthorities(flags, authentication, logger);
  const certificate = await certificateOf(program, flags);
  const alwaysAllowPaths = flags["authorization-always-allow-paths"];
  const auth = new DelegatedAuth({ clientCas, authentication, authorization, alwaysAllowPaths });
  return { bindAddress: flags["bind-address"], port: flags["secure-port"], certificate, clientCas, auth };
}

/** Those of the file, or else what the API server publishes for servers that trust its users. */
async function clientAuthorities(flags: ComponentFlags, client: Client | undefined, logger: Logger): Promise<readonly string[]> {
  const path = flags["client-ca-file"];
  if (path !== "") return [await readFile(path, "utf8")];
  if (client === undefined || flags["authentication-skip-lookup"]) return [];
  for (let attempt = 1; ; attempt++) {
    try {
      const { data } = await client.get<ConfigMap>(CONFIG_MAPS, "kube-system", "extension-apiserver-authentication");
      const pem = data?.["client-ca-file"] ?? "";
      return pem === "" ? [] : [pem];
    } catch (error) {
      if (flags["authentication-tolerate-lookup-failure"]) {
        logger.warn({ err: error }, "the cluster's authorities of client certificates cannot be read; there are none");
        return [];
      }
      if (attempt === LOOKUP_TRIES) {
        const why = (error as Error).message;
        throw new StartupError(
          `the API server of --authentication-kubeconfig does not tell whose certificates it takes: ${why}. Start it, or set --authentication-tolerate-lookup-failure.`,
        );
      }
      await realClock.sleep(LOOKUP_PAUSE_MS);
    }
  }
}

function electionMetrics(name: string, leads: boolean): string {
  return sample("leader_election_master_status", "gauge", "Whether this program leads.", leads ? 1 : 0, { name });
}
