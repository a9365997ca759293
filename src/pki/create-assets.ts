import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { AssetFiles } from "./asset-files.ts";
import { AUTHORITIES, type AuthorityName, type LeafRow } from "./asset-table.ts";
import { createAuthority, issueCertificate } from "./certificate.ts";
import { certificatesIn } from "./certificate-status.ts";
import { type CertificatePair, generateSigningKey, type KeyAlgorithm, publicKeyOf } from "./key-pair.ts";
import { renderKubeconfig } from "./kubeconfig.ts";
import { type Machines, machineLeaves, nodeFile } from "./machine-assets.ts";

/** What {@link createAssets} is to make, and where. */
export interface AssetRequest {
  readonly dir: string;
  readonly machines: Machines;
  /** URL of the API servers in kubeconfigs. */
  readonly server: string;
  readonly algorithm: KeyAlgorithm;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** For the token of kubelets that have no certificate yet: 32 hexadecimal digits. */
  readonly newToken: () => string;
}

/** Kubeconfigs that are made, with the certificate that each holds. */
function kubeconfigs({
  masters,
  workers,
}: Machines): readonly { readonly file: string; readonly pair: string; readonly user: string }[] {
  const component = (name: string): string => `system:kube-${name}`;
  return [
    { file: "admin", pair: "admin", user: "kubernetes-admin" },
    { file: "controller-manager", pair: "controller-manager", user: component("controller-manager") },
    { file: "scheduler", pair: "scheduler", user: component("scheduler") },
    { file: "kube-proxy", pair: "kube-proxy", user: component("proxy") },
    ...[...masters, ...workers].map(({ name }) => ({ file: name, pair: nodeFile(name), user: `system:node:${name}` })),
  ];
}

/**
 * Makes the authorities, certificates, keys, kubeconfigs and token file of a cluster of several machines. What is there and still
 * fits is kept, so that a machine can be added later: a certificate is made anew when a name or an address is missing in it.
 * Returns the files that were written. All are for their owner only.
 */
export async function createAssets(request: AssetRequest): Promise<readonly string[]> {
  const { dir, machines, server, now, algorithm } = request;
  const files = new AssetFiles(dir);
  const written: string[] = [];
  const write = async (name: string, text: string): Promise<void> => {
    await files.write(name, text);
    written.push(name);
  };
  const writePair = async (name: string, pair: CertificatePair): Promise<CertificatePair> => {
    await files.writePair(name, pair);
    written.push(`${name}.pem`, `${name}-key.pem`);
    return pair;
  };
  await files.prepare();
  const authorities = new Map<AuthorityName, CertificatePair>();
  for (const [name, { file, commonName }] of Object.entries(AUTHORITIES)) {
    const pair = (await files.readPair(file)) ?? (await writePair(file, createAuthority(commonName, now, algorithm)));
    authorities.set(name as AuthorityName, pair);
  }
  const pairs = new Map<string, CertificatePair>();
  for (const row of machineLeaves(machines)) {
    const signer = authorities.get(row.authority) as CertificatePair;
    const kept = await files.readPair(row.file);
    const isKept = kept !== undefined && fits(kept, row, signer, now);
    pairs.set(row.file, isKept ? kept : await writePair(row.file, issueCertificate(signer, row.request, now, algorithm)));
  }
  if ((await files.read("service-account-key.pem")) === undefined) {
    const key = await generateSigningKey();
    await write("service-account-key.pem", key);
    await write("service-account.pub", publicKeyOf(key));
  }
  const ca = (authorities.get("ca") as CertificatePair).cert;
  for (const { file, pair, user } of kubeconfigs(machines)) {
    const text = renderKubeconfig({ server, user, ca, ...(pairs.get(pair) as CertificatePair) });
    if ((await files.read(`${file}.kubeconfig`)) !== text) await write(`${file}.kubeconfig`, text);
  }
  // As guides on TLS bootstrap have it: who holds the token may ask for a node's certificate.
  if ((await files.read("token.csv")) === undefined) {
    await write("token.csv", `${request.newToken()},kubelet-bootstrap,10001,"system:bootstrappers"\n`);
  }
  return written;
}

/** Whether a certificate is of this authority, names all that it should, and holds for a while. */
function fits({ cert }: CertificatePair, { request }: LeafRow, signer: CertificatePair, now: number): boolean {
  const certificate = new X509Certificate(cert);
  const [authority = ""] = certificatesIn(signer.cert);
  const hosts = request.hosts ?? [];
  const names = new Set((certificate.subjectAltName ?? "").split(", ").map((name) => name.slice(name.indexOf(":") + 1)));
  const isNamed = (host: string): boolean => names.has(host) || (isIP(host) !== 0 && certificate.checkIP(host) !== undefined);
  return (
    certificate.verify(new X509Certificate(authority).publicKey) && Date.parse(certificate.validTo) > now && hosts.every(isNamed)
  );
}
