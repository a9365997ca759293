import { X509Certificate } from "node:crypto";
import { formatIp, networkAddress, parseCidr } from "#apimachinery/validation/ip.ts";
import type { Clock } from "#base/clock.ts";
import { AssetFiles } from "./asset-files.ts";
import { AUTHORITIES, type AuthorityRow, type ClusterLeafRow, LEAVES } from "./asset-table.ts";
import { createAuthority, issueCertificate } from "./certificate.ts";
import { type CertificatePair, generateSigningKey, loadSigningKeys, publicKeyOf, type SigningKeyPair } from "./key-pair.ts";

/** Everything that the members of one cluster prove themselves with. */
export interface ClusterAssets {
  /** Signs certificates. While it is being replaced `cert` holds both authorities, the one that signs first. */
  readonly ca: CertificatePair;
  readonly apiserver: CertificatePair;
  /** What the API server shows to kubelets. */
  readonly kubeletClient: CertificatePair;
  /** `kubernetes-admin` of `system:masters`. */
  readonly admin: CertificatePair;
  readonly controllerManager: CertificatePair;
  readonly scheduler: CertificatePair;
  readonly frontProxyCa: CertificatePair;
  readonly frontProxyClient: CertificatePair;
  /** Gives the keys of service account tokens, making them at the first call: few clusters in tests ever need them. */
  readonly serviceAccount: () => Promise<SigningKeyPair>;
}

export interface ClusterAssetsOptions {
  /** Folder to read from and write to; in memory only when absent. */
  readonly dir?: string;
  readonly clock: Clock;
  /** Further names and addresses that the API server is reached by. */
  readonly hosts: readonly string[];
  /** Addresses of Services, one CIDR or two with a comma between; the API server's certificate names the first one's first address. */
  readonly serviceClusterIpRange: string;
}

/** Names that every API server answers to, as in upstream's guides. */
const USUAL_HOSTS: readonly string[] = [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
  "localhost",
  "127.0.0.1",
  "::1",
];

/** A certificate is made anew when less than this is left of it. */
export const RENEW_BEFORE_MS: number = 30 * 24 * 60 * 60 * 1000;

/** Reads the assets of a cluster, and makes those that are absent or about to end: some milliseconds. Files are for their owner only. */
export async function ensureClusterAssets(options: ClusterAssetsOptions): Promise<ClusterAssets> {
  const files = new AssetFiles(options.dir);
  const now = options.clock.now();
  await files.prepare();
  const authority = ({ file, commonName }: AuthorityRow): Promise<CertificatePair> =>
    ensurePair(
      files,
      file,
      () => createAuthority(commonName, now),
      (certificate) => lastsFrom(certificate, now),
    );
  const hosts = [...new Set([...USUAL_HOSTS, firstAddress(options.serviceClusterIpRange), ...options.hosts])];
  const authorities = {
    ca: authority(AUTHORITIES.ca),
    "front-proxy-ca": authority(AUTHORITIES["front-proxy-ca"]),
  };
  const leaf = async (row: ClusterLeafRow): Promise<CertificatePair> => {
    const signer = await authorities[row.authority];
    const issuer = new X509Certificate(signer.cert);
    const request = row.servesApi === true ? { ...row.request, hosts } : row.request;
    const isValid = (certificate: X509Certificate): boolean =>
      lastsFrom(certificate, now) &&
      certificate.checkIssued(issuer) &&
      certificate.verify(issuer.publicKey) &&
      coversHosts(certificate, request.hosts ?? []);
    return ensurePair(files, row.file, () => issueCertificate(signer, request, now), isValid);
  };
  const [ca, frontProxyCa] = await Promise.all([authorities.ca, authorities["front-proxy-ca"]]);
  const [apiserver, kubeletClient, admin, controllerManager, scheduler, frontProxyClient] = await Promise.all([
    leaf(LEAVES.apiserver),
    leaf(LEAVES.kubeletClient),
    leaf(LEAVES.admin),
    leaf(LEAVES.controllerManager),
    leaf(LEAVES.scheduler),
    leaf(LEAVES.frontProxyClient),
  ]);
  let keys: Promise<SigningKeyPair> | undefined;
  const serviceAccount = (): Promise<SigningKeyPair> => {
    keys ??= ensureSigningKeys(files);
    return keys;
  };
  return { ca, apiserver, kubeletClient, admin, controllerManager, scheduler, frontProxyCa, frontProxyClient, serviceAccount };
}

async function ensurePair(
  files: AssetFiles,
  name: string,
  make: () => CertificatePair,
  isValid: (certificate: X509Certificate) => boolean,
): Promise<CertificatePair> {
  const kept = await files.readPair(name);
  if (kept !== undefined && isValid(new X509Certificate(kept.cert))) return kept;
  const made = make();
  await files.writePair(name, made);
  return made;
}

async function ensureSigningKeys(files: AssetFiles): Promise<SigningKeyPair> {
  const kept = await files.read("service-account-key.pem");
  if (kept !== undefined) return loadSigningKeys(kept);
  const made = await generateSigningKey();
  await files.write("service-account-key.pem", made);
  await files.write("service-account.pub", publicKeyOf(made));
  return loadSigningKeys(made);
}

function lastsFrom(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && Date.parse(certificate.validTo) - now > RENEW_BEFORE_MS;
}

function coversHosts(certificate: X509Certificate, hosts: readonly string[]): boolean {
  const named = new Set((certificate.subjectAltName ?? "").split(", ").map((entry) => entry.slice(entry.indexOf(":") + 1)));
  return hosts.every((host) => named.has(host) || (host.includes(":") && certificate.checkIP(host) !== undefined));
}

/**
 * The first address of a range of Services, or of the first of two with a comma between: the one that the `kubernetes` Service takes.
 * Throws a RangeError for what is no range.
 */
export function firstAddress(ranges: string): string {
  const [range = ""] = ranges.split(",");
  const network = parseCidr(range);
  if (network === undefined) throw new RangeError(`not a range of addresses: ${JSON.stringify(range)}`);
  return formatIp({ family: network.address.family, value: networkAddress(network) + 1n });
}
