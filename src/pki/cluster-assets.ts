import { isIP } from "node:net";
import type { Clock } from "#base/clock.ts";
import { AssetFiles } from "./asset-files.ts";
import { type CertificateAuthority, createAuthority, expiryOf, type LeafRequest, loadAuthority } from "./certificate.ts";
import { type CertificatePair, generateSigningKeys, type SigningKeyPair } from "./key-pair.ts";

/** Everything that the members of one cluster prove themselves with. */
export interface ClusterAssets {
  readonly ca: CertificatePair;
  readonly apiserver: CertificatePair;
  /** `kubernetes-admin` of `system:masters`. */
  readonly admin: CertificatePair;
  readonly serviceAccount: SigningKeyPair;
}

export interface ClusterAssetsOptions {
  /** Folder to read from and write to; in memory only when absent. */
  readonly dir?: string;
  readonly clock: Clock;
  /** Further names and addresses that the API server is reached by. */
  readonly hosts: readonly string[];
  /** CIDR of the Services; the API server's certificate names its first address. */
  readonly serviceClusterIpRange: string;
}

/** Names that every API server answers to inside its cluster, as in upstream's guides. */
const SERVICE_NAMES = [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
  "localhost",
];

/** A leaf is made anew when less than this is left of it. */
const RENEW_BEFORE_MS = 30 * 24 * 60 * 60 * 1000;

/** Reads the assets of a cluster, and makes those that are absent or about to expire. Keys are written with mode 0600. */
export async function ensureClusterAssets(options: ClusterAssetsOptions): Promise<ClusterAssets> {
  const files = new AssetFiles(options.dir);
  const now = options.clock.now();
  await files.prepare();
  const [authority, serviceAccount] = await Promise.all([ensureAuthority(files, now), ensureSigningKeys(files)]);
  const hosts = [...new Set([...options.hosts, "127.0.0.1", firstAddress(options.serviceClusterIpRange)])];
  const serving: LeafRequest = {
    commonName: "kube-apiserver",
    usages: ["server", "client"],
    dnsNames: [...new Set([...SERVICE_NAMES, ...hosts.filter((host) => isIP(host) === 0)])],
    ipAddresses: hosts.filter((host) => isIP(host) !== 0),
  };
  const [apiserver, admin] = await Promise.all([
    // Hosts may differ from run to run: the serving pair is always made for those of this one.
    issue(files, authority, "apiserver", serving, now),
    ensureLeaf(
      files,
      authority,
      "admin",
      { commonName: "kubernetes-admin", organizations: ["system:masters"], usages: ["client"] },
      now,
    ),
  ]);
  return { ca: authority.pair, apiserver, admin, serviceAccount };
}

async function ensureAuthority(files: AssetFiles, now: number): Promise<CertificateAuthority> {
  const kept = await files.readPair("ca");
  if (kept !== undefined) return await loadAuthority(kept);
  const made = await createAuthority("kubernetes", now);
  await files.writePair("ca", made.pair);
  return made;
}

async function ensureSigningKeys(files: AssetFiles): Promise<SigningKeyPair> {
  const kept = await files.readSigningKeys("service-account");
  if (kept !== undefined) return kept;
  const made = await generateSigningKeys();
  await files.writeSigningKeys("service-account", made);
  return made;
}

async function ensureLeaf(
  files: AssetFiles,
  ca: CertificateAuthority,
  name: string,
  request: LeafRequest,
  now: number,
): Promise<CertificatePair> {
  const kept = await files.readPair(name);
  if (kept !== undefined && expiryOf(kept.cert) - now > RENEW_BEFORE_MS) return kept;
  return await issue(files, ca, name, request, now);
}

async function issue(
  files: AssetFiles,
  ca: CertificateAuthority,
  name: string,
  request: LeafRequest,
  now: number,
): Promise<CertificatePair> {
  const made = await ca.issue(request, now);
  await files.writePair(name, made);
  return made;
}

/** The first usable address of an IPv4 CIDR, which Service `kubernetes` has. */
export function firstAddress(cidr: string): string {
  const [address = "", bits = "32"] = cidr.split("/");
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(number / size) * size + 1;
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join(".");
}
