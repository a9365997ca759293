import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import type { Clock } from "#base/clock.ts";
import { errnoOf, type HostFiles } from "#base/host-files.ts";
import type { Client } from "#client/client.ts";
import { type KubeconfigContext, parseKubeconfig } from "#client/kubeconfig.ts";
import type { Logger } from "#component-base/logging.ts";
import { generateKey } from "#pki/key-pair.ts";
import type { CertificateStore } from "./certificate-store.ts";
import { CLIENT_SIGNER, requestCertificate } from "./request-certificate.ts";

/** The key of a request that is not answered yet: a start that is interrupted goes on with it. */
const PENDING_KEY = "kubelet-client.key.tmp";
const OWNER_ONLY = 0o600;
/** Usages of a certificate that a kubelet shows to API servers. */
export const CLIENT_USAGES: readonly string[] = ["digital signature", "client auth"];
/** How long a start waits for its first certificate, in milliseconds. */
const WAIT_MS: number = 3600 * 1000;
/** How long the API server is waited for, and between two tries, in milliseconds. */
const SERVER_WAIT_MS = 60_000;
const SERVER_TRY_MS = 2_000;

/** Whom a kubelet's client certificate names. */
export function clientSubject(nodeName: string): { readonly commonName: string; readonly organizations: readonly string[] } {
  return { commonName: `system:node:${nodeName}`, organizations: ["system:nodes"] };
}

/** What a first certificate takes. */
export interface BootstrapOptions {
  readonly nodeName: string;
  readonly kubeconfigPath: string;
  readonly certDir: string;
  readonly store: CertificateStore;
  /** What the bootstrap kubeconfig says. */
  readonly address: KubeconfigContext;
  readonly client: Client;
  readonly files: HostFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Asks for a node's client certificate with the credentials of a bootstrap kubeconfig, and writes the kubeconfig that uses
 * it (upstream's `LoadClientCert`). Nothing is done when the kubeconfig is there and its certificate still valid.
 */
export async function bootstrapClientCertificate(options: BootstrapOptions): Promise<void> {
  const { nodeName, certDir, store, client, files, clock, logger } = options;
  await files.mkdir(certDir, { recursive: true, mode: 0o755 });
  const keyPath = join(certDir, PENDING_KEY);
  const key = await keyOf(files, keyPath, store);
  await waitForServer(options);
  const late = new AbortController();
  const timer = clock.setTimeout(() => late.abort(new Error("timed out waiting for the condition")), WAIT_MS, { unref: true });
  try {
    const subject = clientSubject(nodeName);
    const name = digestedName(key, subject, CLIENT_USAGES);
    logger.info({ request: name }, "a client certificate is asked for with the bootstrap kubeconfig");
    const wish = { key, subject, signerName: CLIENT_SIGNER, usages: CLIENT_USAGES, name };
    const cert = await requestCertificate(client, wish, AbortSignal.any([options.signal, late.signal]));
    await store.update({ cert, key });
  } finally {
    timer.clear();
  }
  await files.rm(keyPath, { force: true });
  await writeKubeconfig(options);
}

/** The kubeconfig that uses the current certificate, whole or not at all. */
export async function writeKubeconfig({
  kubeconfigPath,
  address,
  store,
  files,
}: Pick<BootstrapOptions, "kubeconfigPath" | "address" | "store" | "files">): Promise<void> {
  await files.mkdir(dirname(kubeconfigPath), { recursive: true });
  const text = kubeconfigText(address, store.currentPath);
  await files.writeFile(`${kubeconfigPath}.tmp`, text, { mode: OWNER_ONLY });
  await files.rename(`${kubeconfigPath}.tmp`, kubeconfigPath);
}

/** Whether a kubeconfig is there whose certificates are all valid still (upstream's `isClientConfigStillValid`). */
export async function isKubeconfigValid(path: string, files: HostFiles, nowMs: number): Promise<boolean> {
  const text = await read(files, path);
  if (text === undefined) return false;
  try {
    const named: string[] = [];
    parseKubeconfig(text, (file) => {
      named.push(file);
      return "";
    });
    const texts = await Promise.all(named.map((file) => files.readFile(resolve(dirname(path), file), "utf8")));
    const { cert = "" } = parseKubeconfig(text, (file) => texts[named.indexOf(file)] ?? "");
    const blocks = cert.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
    return blocks.length > 0 && blocks.every((block) => Date.parse(new X509Certificate(block).validTo) >= nowMs);
  } catch {
    return false;
  }
}

/** The key of the current certificate, else of a request under way, else a new one. */
async function keyOf(files: HostFiles, path: string, store: CertificateStore): Promise<string> {
  const current = await store.current();
  if (current !== undefined) return current.key;
  const pending = await read(files, path);
  if (pending?.includes("PRIVATE KEY")) return pending;
  const key = generateKey();
  await files.writeFile(path, key, { mode: OWNER_ONLY });
  return key;
}

/** So that a start that comes too early does not fail for it. */
async function waitForServer({ client, clock, logger, signal }: BootstrapOptions): Promise<void> {
  const end = clock.elapsed() + SERVER_WAIT_MS;
  while (clock.elapsed() < end && !signal.aborted) {
    try {
      await client.raw("/healthz");
      return;
    } catch (error) {
      logger.info({ err: error }, "the API server does not answer yet");
      await clock.sleep(SERVER_TRY_MS, signal).catch(() => undefined);
    }
  }
}

/** A name by which the same request is found again (upstream's `digestedName`). */
export function digestedName(
  key: string,
  { commonName, organizations }: ReturnType<typeof clientSubject>,
  usages: readonly string[],
): string {
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  const hash = createHash("sha512-256");
  for (const part of [publicKey, commonName, ...organizations, ...usages]) {
    hash.update(`${Buffer.from(part).toString("base64url")}|`);
  }
  return `node-csr-${hash.digest("base64url")}`;
}

function kubeconfigText({ server, ca }: KubeconfigContext, pemPath: string): string {
  const authority = ca === undefined ? "" : `    certificate-authority-data: ${Buffer.from(ca).toString("base64")}\n`;
  return `apiVersion: v1
kind: Config
clusters:
- name: default-cluster
  cluster:
${authority}    server: ${server}
contexts:
- name: default-context
  context:
    cluster: default-cluster
    namespace: default
    user: default-auth
current-context: default-context
preferences: {}
users:
- name: default-auth
  user:
    client-certificate: ${pemPath}
    client-key: ${pemPath}
`;
}

async function read(files: HostFiles, path: string): Promise<string | undefined> {
  try {
    return await files.readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
