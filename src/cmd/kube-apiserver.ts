import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { describeFlags, FlagError, type ParsedFlags, parseFlags } from "#component-base/flags.ts";
import type { Logger } from "#component-base/logging.ts";
import type { AuthenticationOptions } from "#kube-apiserver/authentication/authentication-options.ts";
import {
  ENDPOINT_RECONCILER_TYPES,
  type EndpointReconcilerType,
} from "#kube-apiserver/endpoint-reconciler/endpoint-reconciler.ts";
import { startKubeApiServer } from "#kube-apiserver/server.ts";
import type { KubeApiServer, ServerAssets } from "#kube-apiserver/server-options.ts";
import { AssetFiles } from "#pki/asset-files.ts";
import { firstAddress } from "#pki/cluster-assets.ts";
import { generateSigningKey, loadSigningKeys, type SigningKeyPair } from "#pki/key-pair.ts";
import type { KVStore } from "#storage/kv.ts";
import { componentHealth } from "./component-health.ts";
import { etcdTls, etcdUrls } from "./flags/etcd-flags.ts";
import { readFeatureGates } from "./flags/feature-gates.ts";
import { durationMs, givenFlags } from "./flags/flag-specs.ts";
import { sayFormerFlags } from "./flags/former-flags.ts";
import { proxyClient, requestHeaderOptions } from "./flags/front-proxy-flags.ts";
import { loggerOf } from "./flags/log-flags.ts";
import { readRuntimeConfig } from "./flags/runtime-config-flag.ts";
import { securityOptions } from "./flags/security-flags.ts";
import { readServiceRanges } from "./flags/service-ranges-flag.ts";
import { servingOptions } from "./flags/serving-flags.ts";
import { etcdAddresses, openOverrides, storageSettings } from "./flags/storage-flags.ts";
import { formerApiServerFlags, kubeApiServerFlags } from "./kube-apiserver-flags.ts";
import { kubeletClientOptions } from "./kubelet/client-flags.ts";
import { notifyReady } from "./notify-ready.ts";
import { databaseKey, openEtcd } from "./open-store.ts";
import { cpuProfile, heapProfile } from "./profiles.ts";
import type { ProgramCall } from "./program-call.ts";
import { certificateFiles, namedCertificates, servingCertificate } from "./serving-certificate.ts";
import { untilInterrupted } from "./signals.ts";
import { explainStartFailure } from "./startup-error.ts";
import { printVersion } from "./version.ts";
import { watchFiles } from "./watched-files.ts";

type Flags = ParsedFlags<typeof kubeApiServerFlags>;

/** Where API servers of former years listened for whoever was on their machine. */
const INSECURE_PORT = 8080;
/** Versions that those servers had unasked, and that today's have only where they are asked for. */
const HYPERKUBE_VERSIONS: readonly string[] = [
  "extensions/v1beta1=true",
  "apps/v1beta1=true",
  "policy/v1beta1=true",
  "rbac.authorization.k8s.io/v1beta1=true",
];
/** Names that every API server answers to. */
const USUAL_HOSTS = [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
  "localhost",
  "127.0.0.1",
];

/** `kybern kube-apiserver`: an API server on etcd, that keeps nothing itself. Any number of them share an etcd. */
export async function kubeApiServer({ args, isHyperkube }: ProgramCall): Promise<void> {
  const flags = parseFlags(kubeApiServerFlags, args) as Flags;
  if (flags.help) {
    process.stdout.write(
      `The API server on etcd.\n\nUsage: kybern kube-apiserver --etcd-servers=URLS [flags]\n\n${describeFlags(kubeApiServerFlags)}\n`,
    );
    return;
  }
  if (flags.version) return printVersion();
  const given = givenFlags(args);
  const logger = loggerOf("kube-apiserver", flags);
  if (flags["etcd-servers"].length === 0) throw new FlagError("flag --etcd-servers says where etcd is, and must be given");
  sayFormerFlags(formerApiServerFlags, given, logger);
  readFeatureGates(flags["feature-gates"], logger);
  const interrupted = untilInterrupted(durationMs("shutdown-delay-duration", flags["shutdown-delay-duration"]));
  const runtimeConfig = [...(isHyperkube ? HYPERKUBE_VERSIONS : []), ...flags["runtime-config"]];
  const running = await start(
    { ...flags, "runtime-config": runtimeConfig },
    given,
    insecureListener(flags, given, isHyperkube),
    logger,
  ).catch((error) =>
    explainStartFailure(error, {
      dataDir: flags["cert-dir"],
      dirFlag: "--cert-dir",
      etcdServers: etcdAddresses(flags),
      address: flags["bind-address"],
      port: flags["secure-port"],
    }),
  );
  await Promise.race([running.server.ready.catch(() => undefined), interrupted]);
  logger.info({ url: running.server.url }, "the API server is ready");
  await notifyReady(logger);
  await interrupted;
  await running.stop();
}

async function start(
  flags: Flags,
  given: ReadonlySet<string>,
  insecure: { readonly bindAddress: string; readonly port: number } | undefined,
  logger: Logger,
): Promise<{ readonly server: KubeApiServer; readonly stop: () => Promise<void> }> {
  const clock = realClock;
  const serving = servingOptions(flags);
  const security = securityOptions(flags, (flag) => given.has(flag));
  const advertised = { bindAddress: flags["bind-address"], advertiseAddress: flags["advertise-address"] };
  const reconciles = reconcilerType(flags) !== "none";
  const serviceClusterIpRange = readServiceRanges(flags["service-cluster-ip-range"], reconciles ? advertised : undefined);
  const hosts = [firstAddress(serviceClusterIpRange), flags["advertise-address"], flags["bind-address"]].filter(
    (host) => isIP(host) !== 0 && host !== "0.0.0.0" && host !== "::",
  );
  const shown = async (): Promise<Pick<ServerAssets, "ca" | "frontProxyCa" | "apiserver" | "named">> => ({
    ca: { cert: "" },
    frontProxyCa: { cert: "" },
    apiserver: await servingCertificate(flags, { program: "apiserver", hosts: [...new Set([...USUAL_HOSTS, ...hosts])], clock }),
    named: await namedCertificates(flags),
  });
  const [kubelet, certificates, frontProxyClient, keys] = await Promise.all([
    kubeletClientOptions(flags),
    shown(),
    proxyClient(flags),
    serviceAccountKeys(flags, logger),
  ]);
  const options = {
    ...security,
    ...(security.encryption && { encryption: { ...security.encryption, databaseKey: databaseKey(flags) } }),
    authentication: authenticationOptions(flags, security.authentication),
    audit: { ...security.audit, withoutPolicy: "Metadata" as const },
    runtimeConfig: readRuntimeConfig(flags["runtime-config"]),
    endpointReconciler: { type: reconcilerType(flags), count: flags["apiserver-count"] },
    eventTtlSeconds: Math.round(durationMs("event-ttl", flags["event-ttl"]) / 1000),
  };
  const urls = etcdUrls("etcd-servers", flags["etcd-servers"]);
  const settings = storageSettings(flags, logger);
  const kv = await openEtcd({ urls, tls: etcdTls(flags), prefix: flags["etcd-prefix"] }, clock);
  const others: KVStore[] = [];
  const closeStores = async (): Promise<void> => {
    await Promise.all([kv, ...new Set(others)].map((store) => store.close()));
  };
  try {
    const overrides = await openOverrides(flags, clock);
    others.push(...overrides.map((override) => override.kv));
    const server = await startKubeApiServer({
      kv,
      clock,
      random: systemRandom,
      logger,
      ...options,
      storage: { ...settings, overrides },
      assets: {
        ...certificates,
        ...(frontProxyClient === undefined ? {} : { frontProxyClient }),
        serviceAccount: keys,
      },
      bindAddress: flags["bind-address"],
      port: flags["secure-port"],
      ...(insecure === undefined ? {} : { insecure }),
      ...(flags["advertise-address"] === "" ? {} : { advertiseAddress: flags["advertise-address"] }),
      serviceClusterIpRange,
      serviceNodePortRange: flags["service-node-port-range"],
      kubelet,
      serving,
      ...(flags.profiling && { profiles: { cpu: cpuProfile, heap: heapProfile } }),
      maxConnectionBytesPerSecond: flags["max-connection-bytes-per-sec"],
      swaggerUi: flags["enable-swagger-ui"],
      allowPrivileged: flags["allow-privileged"],
      componentHealth: componentHealth(flags),
    });
    if (insecure !== undefined) {
      const where = `http://${insecure.bindAddress}:${server.insecurePort}`;
      logger.warn(
        { url: where },
        "whoever reaches this address may do everything: it has no authentication and no authorization",
      );
    }
    logger.info({ url: server.url }, "the API server listens");
    const files = [...certificateFiles(flags), flags["client-ca-file"], flags["requestheader-client-ca-file"]];
    const stopWatching = watchFiles(files, { clock, logger }, async () => server.useCertificates(await shown()));
    const stop = async (): Promise<void> => {
      stopWatching();
      await server.stop();
      await closeStores();
    };
    return { server, stop };
  } catch (error) {
    await closeStores();
    throw error;
  }
}

/** Off unless a flag or the name of former years asks for it. */
function insecureListener(
  flags: Flags,
  given: ReadonlySet<string>,
  isHyperkube: boolean,
): { readonly bindAddress: string; readonly port: number } | undefined {
  const isAsked = isHyperkube || given.has("insecure-bind-address");
  const port = given.has("insecure-port") ? flags["insecure-port"] : isAsked ? INSECURE_PORT : 0;
  return port === 0 ? undefined : { bindAddress: flags["insecure-bind-address"] || "127.0.0.1", port };
}

function authenticationOptions(flags: Flags, options: AuthenticationOptions): AuthenticationOptions {
  const isOpen = flags["authorization-mode"].includes("AlwaysAllow") && flags["authorization-config"] === "";
  return {
    ...options,
    // As upstream: who need not be allowed has to say at least who he is.
    anonymousAuth: flags["anonymous-auth"] && !isOpen,
    enableBootstrapTokenAuth:
      flags["enable-bootstrap-token-auth"] ||
      (flags as Readonly<Record<string, unknown>>)["experimental-bootstrap-token-auth"] === true,
    requestHeader: requestHeaderOptions(flags),
  };
}

/**
 * What signs service-account tokens where `--service-account-signing-key-file` does not say: a private key of
 * `--service-account-key-file`, as guides of former years give it; else one that is made once and kept in `--cert-dir`.
 */
async function serviceAccountKeys(flags: Flags, logger: Logger): Promise<() => Promise<SigningKeyPair>> {
  const texts = await Promise.all(flags["service-account-key-file"].map((path) => readFile(path, "utf8")));
  const own = texts.find((pem) => /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem));
  if (own !== undefined) return async () => loadSigningKeys(own);
  let keys: Promise<SigningKeyPair> | undefined;
  return () => {
    keys ??= madeKeys(flags["cert-dir"], logger);
    return keys;
  };
}

async function madeKeys(dir: string, logger: Logger): Promise<SigningKeyPair> {
  const name = "service-account-key.pem";
  const files = new AssetFiles(dir === "" ? undefined : dir);
  await files.prepare();
  let pem = await files.read(name);
  if (pem === undefined) {
    logger.warn(
      { dir },
      "service-account tokens are signed by a key of this server alone: give all one by --service-account-signing-key-file",
    );
    pem = await generateSigningKey();
    await files.write(name, pem);
  }
  return loadSigningKeys(pem);
}

function reconcilerType(flags: Flags): EndpointReconcilerType {
  const type = ENDPOINT_RECONCILER_TYPES.find((known) => known === flags["endpoint-reconciler-type"]);
  if (type !== undefined) return type;
  const known = ENDPOINT_RECONCILER_TYPES.join(", ");
  throw new FlagError(`flag --endpoint-reconciler-type takes one of ${known}, not "${flags["endpoint-reconciler-type"]}"`);
}
