import { realClock } from "#base/clock.ts";
import { realHostFiles } from "#base/host-files.ts";
import { systemRandom } from "#base/random.ts";
import type { KubeconfigContext } from "#client/kubeconfig.ts";
import type { RestClient } from "#client/rest-client.ts";
import { FlagError } from "#component-base/flags.ts";
import type { Logger } from "#component-base/logging.ts";
import {
  bootstrapClientCertificate,
  CLIENT_USAGES,
  clientSubject,
  isKubeconfigValid,
  writeKubeconfig,
} from "#kubelet/certificate/bootstrap.ts";
import { CertificateManager } from "#kubelet/certificate/certificate-manager.ts";
import { CertificateStore } from "#kubelet/certificate/certificate-store.ts";
import { CLIENT_SIGNER } from "#kubelet/certificate/request-certificate.ts";
import { clientOf, readKubeconfig } from "../api-client.ts";
import type { KubeletFlags } from "./flags.ts";

const PROGRAM = "kubelet";

/** The way to the API server. */
export interface KubeletApi {
  readonly address: KubeconfigContext;
  readonly client: RestClient;
  /** The client certificate, where it is renewed. */
  readonly certificate?: CertificateManager;
  /** Ends what keeps the certificate fresh, and all connections. */
  close(): Promise<void>;
}

/** What a kubelet goes by to reach the API server. */
export interface ApiRequest {
  readonly flags: KubeletFlags;
  readonly nodeName: string;
  /** `rotateCertificates`: the client certificate is renewed before it ends, and a first one awaited in the background. */
  readonly rotate: boolean;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * The way to the API server, as `--kubeconfig`, `--bootstrap-kubeconfig` or `--api-servers` say; undefined where none does:
 * the kubelet is then on its own. A first certificate is asked for, and awaited unless it is to be rotated anyway.
 */
export async function kubeletApi(request: ApiRequest): Promise<KubeletApi | undefined> {
  const { flags, rotate, logger } = request;
  const bootstrap = flags["bootstrap-kubeconfig"] || flags["experimental-bootstrap-kubeconfig"];
  const servers = flags["api-servers"];
  if (bootstrap !== "" && flags.kubeconfig === "") {
    throw new FlagError("flag --bootstrap-kubeconfig needs --kubeconfig, which says where the kubeconfig is written");
  }
  if (flags.kubeconfig === "") {
    if (servers.length === 0) return undefined;
    return plain(await formerAddress(servers, logger));
  }
  const isValid = bootstrap === "" || (await isKubeconfigValid(flags.kubeconfig, realHostFiles, realClock.now()));
  if (!isValid) return bootstrapped(request, await readKubeconfig(bootstrap));
  const address = await readKubeconfig(flags.kubeconfig);
  // In former years the flag said where the server is, and the file who asks.
  const server = servers[0] === undefined ? address.server : (await formerAddress(servers, logger)).server;
  return rotate ? rotating(request, { ...address, server }, { ...address, server }) : plain({ ...address, server });
}

async function formerAddress(servers: readonly string[], logger: Logger): Promise<KubeconfigContext> {
  const [first = ""] = servers;
  const server = /^https?:\/\//.test(first) ? first : `http://${first}`;
  if (!URL.canParse(server)) throw new FlagError(`flag --api-servers takes URLs, not "${first}"`);
  logger.info({ flag: "--api-servers", server }, "the API server is the first of these, as of a kubeconfig without a user");
  return { server };
}

function plain(address: KubeconfigContext): KubeletApi {
  const client = clientOf(address, PROGRAM, realClock);
  return { address, client, close: async () => client.close() };
}

/** A node without credentials of its own gets them with those of the bootstrap kubeconfig. */
async function bootstrapped(request: ApiRequest, address: KubeconfigContext): Promise<KubeletApi> {
  const { flags, nodeName, rotate, logger, signal } = request;
  const store = storeIn(flags["cert-dir"]);
  const own = { server: address.server, ...(address.ca === undefined ? {} : { ca: address.ca }) };
  const common = { kubeconfigPath: flags.kubeconfig, address, store, files: realHostFiles };
  if (rotate) {
    await writeKubeconfig(common);
    return rotating(request, address, own);
  }
  const asking = clientOf(address, `${PROGRAM}-bootstrap`, realClock);
  try {
    await bootstrapClientCertificate({
      ...common,
      nodeName,
      certDir: flags["cert-dir"],
      client: asking,
      clock: realClock,
      logger,
      signal,
    });
  } finally {
    asking.close();
  }
  return plain(await readKubeconfig(flags.kubeconfig));
}

/** With a certificate that is renewed. `first` is who asks while there is none yet. */
async function rotating(request: ApiRequest, first: KubeconfigContext, own: KubeconfigContext): Promise<KubeletApi> {
  const { flags, nodeName, logger } = request;
  const store = storeIn(flags["cert-dir"]);
  if ((await store.current()) === undefined && own.cert !== undefined && own.key !== undefined) {
    await store.update({ cert: own.cert, key: own.key });
  }
  const awaitsCertificate = own.cert === undefined && own.token === undefined;
  const client = clientOf({ ...own, awaitsCertificate }, PROGRAM, realClock);
  const asking = clientOf(first, `${PROGRAM}-bootstrap`, realClock);
  const manager = new CertificateManager({
    store,
    signerName: CLIENT_SIGNER,
    usages: CLIENT_USAGES,
    subject: () => clientSubject(nodeName),
    client: (current) => (current === undefined ? asking : client),
    onChange: (pair) => client.useCertificate(pair),
    clock: realClock,
    random: systemRandom,
    logger,
  });
  await manager.start();
  return {
    certificate: manager,
    address: own,
    client,
    close: async () => {
      const closed = manager.close();
      asking.close();
      client.close();
      await closed;
    },
  };
}

function storeIn(dir: string): CertificateStore {
  return new CertificateStore({ files: realHostFiles, clock: realClock, dir, name: "kubelet-client" });
}
