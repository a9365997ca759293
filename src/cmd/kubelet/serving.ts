import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { NodeAddress } from "#api/generated/core/v1.ts";
import { realClock, type Timer } from "#base/clock.ts";
import { errnoOf, realHostFiles } from "#base/host-files.ts";
import { systemRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { FlagError } from "#component-base/flags.ts";
import type { Logger } from "#component-base/logging.ts";
import { clientSubject } from "#kubelet/certificate/bootstrap.ts";
import { CertificateManager } from "#kubelet/certificate/certificate-manager.ts";
import { CertificateStore } from "#kubelet/certificate/certificate-store.ts";
import { SERVING_SIGNER } from "#kubelet/certificate/request-certificate.ts";
import { servingSubject } from "#kubelet/certificate/serving-subject.ts";
import type { KubeletConfiguration } from "#kubelet/configuration/kubelet-configuration.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { RENEW_BEFORE_MS } from "#pki/cluster-assets.ts";
import type { CertificatePair } from "#pki/key-pair.ts";

const SERVING_USAGES = ["digital signature", "server auth"];
/** How often files are looked at that somebody may have renewed, in milliseconds. */
const LOOK_MS = 60_000;
const CERT_MODE = 0o644;
const KEY_MODE = 0o600;

/** What a kubelet serves with, now. */
export interface ServingTls {
  /** Undefined while the cluster has not issued it. */
  readonly pair: CertificatePair | undefined;
  /** Authorities of clients; empty for none. */
  readonly clientCa: string;
}

/** What {@link KeptServing} goes by. */
export interface ServingRequest {
  readonly configuration: KubeletConfiguration;
  readonly certDir: string;
  readonly nodeName: string;
  readonly hostname: string;
  readonly addresses: () => readonly NodeAddress[];
  readonly client: Client | undefined;
  readonly logger: Logger;
}

/** The serving certificate and clients' authorities, kept up to date. */
export class KeptServing {
  readonly #request: ServingRequest;
  #manager: CertificateManager | undefined;
  #timer: Timer | undefined;
  #now: ServingTls = { pair: undefined, clientCa: "" };
  #listener: (tls: ServingTls) => void = () => {};

  private constructor(request: ServingRequest) {
    this.#request = request;
  }

  /**
   * What the kubelet's own API shows: the files of the configuration, else a certificate that the cluster issues
   * (`serverTLSBootstrap`), else one that is made here and kept as `kubelet.crt` and `kubelet.key`. Files that somebody
   * renews are taken up.
   */
  static async start(request: ServingRequest): Promise<KeptServing> {
    const { tlsCertFile = "", tlsPrivateKeyFile = "", serverTLSBootstrap = false } = request.configuration;
    if ((tlsCertFile === "") !== (tlsPrivateKeyFile === "")) {
      throw new FlagError("flags --tls-cert-file and --tls-private-key-file go together");
    }
    const kept = new KeptServing(request);
    if (tlsCertFile === "" && serverTLSBootstrap) {
      kept.#manager = clusterManager(request, () => void kept.#look());
      await kept.#manager.start();
    }
    kept.#now = await kept.#read();
    kept.#timer = realClock.setInterval(() => void kept.#look(), LOOK_MS, { unref: true });
    return kept;
  }

  /** The certificate that the cluster issues; undefined where it does not. */
  get issued(): CertificateManager | undefined {
    return this.#manager;
  }

  current(): ServingTls {
    return this.#now;
  }

  /** Tells of every change from now on. */
  onChange(listener: (tls: ServingTls) => void): void {
    this.#listener = listener;
  }

  async close(): Promise<void> {
    this.#timer?.clear();
    await this.#manager?.close();
  }

  async #look(): Promise<void> {
    try {
      const next = await this.#read();
      if (JSON.stringify(next) === JSON.stringify(this.#now)) return;
      this.#now = next;
      this.#listener(next);
    } catch (error) {
      this.#request.logger.warn({ err: error }, "the serving certificate cannot be read; the one in use stays so");
    }
  }

  async #read(): Promise<ServingTls> {
    const pair = this.#manager === undefined ? await filePair(this.#request) : this.#manager.current();
    return { pair, clientCa: await clientAuthorities(this.#request.configuration) };
  }
}

function clusterManager(request: ServingRequest, onChange: () => void): CertificateManager {
  const { client, certDir, nodeName, addresses, logger } = request;
  if (client === undefined) throw new FlagError("serverTLSBootstrap needs an API server: --kubeconfig says which");
  return new CertificateManager({
    store: new CertificateStore({ files: realHostFiles, clock: realClock, dir: certDir, name: "kubelet-server" }),
    signerName: SERVING_SIGNER,
    usages: SERVING_USAGES,
    subject: () => servingSubject(clientSubject(nodeName), addresses()),
    client: () => client,
    onChange,
    clock: realClock,
    random: systemRandom,
    logger,
  });
}

async function clientAuthorities({ authentication }: KubeletConfiguration): Promise<string> {
  const { clientCAFile = "" } = authentication.x509;
  if (clientCAFile === "") return "";
  try {
    return await readFile(clientCAFile, "utf8");
  } catch (error) {
    throw new FlagError(`unable to load client CA file ${clientCAFile}: ${(error as Error).message}`);
  }
}

async function filePair({ configuration, certDir, hostname, addresses }: ServingRequest): Promise<CertificatePair> {
  const { tlsCertFile = "", tlsPrivateKeyFile = "" } = configuration;
  if (tlsCertFile !== "") {
    const [cert, key] = await Promise.all([readFile(tlsCertFile, "utf8"), readFile(tlsPrivateKeyFile, "utf8")]);
    return { cert, key };
  }
  const [certPath, keyPath] = [join(certDir, "kubelet.crt"), join(certDir, "kubelet.key")];
  const kept = await readPair(certPath, keyPath);
  if (kept !== undefined && isGood(kept.cert)) return kept;
  const now = realClock.now();
  const authority = createAuthority(`${hostname}-ca@${Math.floor(now / 1000)}`, now);
  const hosts = [...new Set([hostname, ...addresses().map(({ address }) => address)])];
  const request = { commonName: `${hostname}@${Math.floor(now / 1000)}`, usages: ["server" as const], hosts };
  const made = issueCertificate(authority, request, now);
  const pair = { cert: `${made.cert}${authority.cert}`, key: made.key };
  await realHostFiles.mkdir(certDir, { recursive: true, mode: 0o755 });
  await writeWhole(keyPath, pair.key, KEY_MODE);
  await writeWhole(certPath, pair.cert, CERT_MODE);
  return pair;
}

async function readPair(certPath: string, keyPath: string): Promise<CertificatePair | undefined> {
  try {
    const [cert, key] = await Promise.all([readFile(certPath, "utf8"), readFile(keyPath, "utf8")]);
    return { cert, key };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function isGood(cert: string): boolean {
  return Date.parse(new X509Certificate(cert).validTo) - realClock.now() > RENEW_BEFORE_MS;
}

async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  await realHostFiles.writeFile(`${path}.tmp`, text, { mode });
  await realHostFiles.rename(`${path}.tmp`, path);
}
