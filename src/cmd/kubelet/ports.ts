import { isIP } from "node:net";
import { parseGoDuration } from "#apimachinery/go-duration.ts";
import { realClock } from "#base/clock.ts";
import type { KubeconfigContext } from "#client/kubeconfig.ts";
import type { RestClient } from "#client/rest-client.ts";
import { FlagError } from "#component-base/flags.ts";
import type { Logger } from "#component-base/logging.ts";
import type { KubeletConfiguration } from "#kubelet/configuration/kubelet-configuration.ts";
import { KubeletAuth } from "#kubelet/server/kubelet-auth.ts";
import type { KubeletHost } from "#kubelet/server/kubelet-host.ts";
import { KubeletServer, type KubeletTls } from "#kubelet/server/kubelet-server.ts";
import { type PlainServer, startHealthzServer, startReadOnlyServer } from "#kubelet/server/plain-servers.ts";
import { ciphersOf } from "../flags/serving-flags.ts";
import { StartupError } from "../startup-error.ts";
import type { KeptServing, ServingTls } from "./serving.ts";

/** Port of former years where anybody on the machine may read. */
const FORMER_READ_ONLY_PORT = 10255;
const LOOPBACK = "127.0.0.1";
const TLS_VERSIONS: Readonly<Record<string, "TLSv1.2" | "TLSv1.3">> = {
  "": "TLSv1.2",
  VersionTLS12: "TLSv1.2",
  VersionTLS13: "TLSv1.3",
};

/** What the ports of a kubelet are opened with. */
export interface PortsRequest {
  readonly configuration: KubeletConfiguration;
  readonly host: KubeletHost;
  readonly serving: KeptServing;
  readonly client: RestClient | undefined;
  /** How the API server is reached. */
  readonly address: KubeconfigContext | undefined;
  /** Whether it was called as in former years, whose guides read from a port that is open unasked. */
  readonly isFormer: boolean;
  /** Whether anything was said of who may ask: by flags or in a file. */
  readonly saysWhoMayAsk: boolean;
  readonly saysReadOnlyPort: boolean;
  readonly logger: Logger;
}

/** The ports of a kubelet, open. */
export interface KubeletPorts {
  close(): void;
}

/** Opens the kubelet's own API, the read-only port where it is asked for, and that of health. Rejects with a {@link StartupError}. */
export async function openKubeletPorts(request: PortsRequest): Promise<KubeletPorts> {
  const { configuration, host, serving } = request;
  const { address, port, healthzPort, healthzBindAddress, enableServer } = configuration;
  const closers: (() => void)[] = [];
  const close = (): void => {
    for (const one of closers) one();
  };
  try {
    if (enableServer) {
      const tls = (now: ServingTls): KubeletTls => tlsOf(now, configuration);
      const server = new KubeletServer({ host, auth: authOf(request), clock: realClock }, tls(serving.current()));
      serving.onChange((next) => server.useTls(tls(next)));
      closers.push(() => server.close());
      await explained(server.listen(ipOf("address", address), port), address, port, "--port");
      const readOnly = readOnlyPort(request);
      if (readOnly !== undefined) {
        const opened = startReadOnlyServer(host, realClock, ipOf("address", readOnly.address), readOnly.port);
        closers.push(closer(await explained(opened, readOnly.address, readOnly.port, "--read-only-port")));
      }
    }
    if (healthzPort > 0) {
      const opened = startHealthzServer(host, realClock, ipOf("healthz-bind-address", healthzBindAddress), healthzPort);
      closers.push(closer(await explained(opened, healthzBindAddress, healthzPort, "--healthz-port")));
    }
    return { close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Who may ask. Where nothing was said of it, and the API server takes everybody of this machine, so does the kubelet. */
function authOf({ configuration, client, address, isFormer, saysWhoMayAsk, logger }: PortsRequest): KubeletAuth {
  const { authentication, authorization } = configuration;
  const trustOwnMachine = isFormer && !saysWhoMayAsk && isOpenToThisMachine(address);
  if (trustOwnMachine) {
    logger.warn(
      { server: address?.server },
      "who asks from this machine may do anything, as on the API server's port without TLS",
    );
  }
  return new KubeletAuth({
    client,
    clock: realClock,
    anonymousAuth: authentication.anonymous.enabled,
    tokens: authentication.webhook.enabled,
    alwaysAllow: authorization.mode === "AlwaysAllow",
    trustOwnMachine,
    tokenTtlMs: parseGoDuration(authentication.webhook.cacheTTL),
    allowedTtlMs: parseGoDuration(authorization.webhook.cacheAuthorizedTTL),
    deniedTtlMs: parseGoDuration(authorization.webhook.cacheUnauthorizedTTL),
  });
}

/** Without TLS and on a loopback address, anybody on the machine is its administrator already. */
function isOpenToThisMachine(address: KubeconfigContext | undefined): boolean {
  const url = new URL(address?.server ?? "https://elsewhere");
  return url.protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
}

function readOnlyPort({
  configuration,
  isFormer,
  saysReadOnlyPort,
  logger,
}: PortsRequest): { address: string; port: number } | undefined {
  const { readOnlyPort: port = 0, address } = configuration;
  const chosen =
    saysReadOnlyPort || port > 0 ? { address, port } : { address: LOOPBACK, port: isFormer ? FORMER_READ_ONLY_PORT : 0 };
  if (chosen.port === 0) return undefined;
  logger.warn(chosen, "pods and measurements are shown without TLS to everybody who asks there");
  return chosen;
}

function tlsOf({ pair, clientCa }: ServingTls, configuration: KubeletConfiguration): KubeletTls {
  const { tlsMinVersion = "", tlsCipherSuites = [] } = configuration;
  const minVersion = TLS_VERSIONS[tlsMinVersion];
  if (minVersion === undefined) {
    throw new FlagError(`flag --tls-min-version takes VersionTLS12 or VersionTLS13, not "${tlsMinVersion}"`);
  }
  const ciphers = ciphersOf(tlsCipherSuites);
  return { cert: pair?.cert ?? "", key: pair?.key ?? "", clientCa, minVersion, ...(ciphers === "" ? {} : { ciphers }) };
}

function ipOf(flag: string, address: string): string {
  if (isIP(address) !== 0) return address;
  throw new FlagError(`flag --${flag} takes an IP address, not "${address}"`);
}

function closer(server: PlainServer): () => void {
  return () => server.close();
}

async function explained<T>(opening: Promise<T>, address: string, port: number, flag: string): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      throw new StartupError(`port ${port} on ${address} is in use. Stop what listens there, or choose another with ${flag}.`);
    }
    if (code === "EADDRNOTAVAIL") throw new StartupError(`this machine has no address ${address}. Choose another.`);
    if (code === "EACCES") throw new StartupError(`no permission to listen on port ${port}. Choose one above 1023 with ${flag}.`);
    throw error;
  }
}
