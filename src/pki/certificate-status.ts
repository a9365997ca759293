import { X509Certificate } from "node:crypto";
import { AssetFiles } from "./asset-files.ts";
import { AUTHORITIES, LEAVES } from "./asset-table.ts";

/** How long a certificate of the cluster still holds. */
export interface CertificateStatus {
  readonly file: string;
  /** The file of who signed it; itself for an authority. */
  readonly authority: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  /** How many authorities the file holds: two while one takes the other's place. */
  readonly count: number;
}

/** The certificates with keys that lie in a folder, authorities first. What no authority of the folder signed has itself as one. */
export async function certificateStatuses(dir: string): Promise<CertificateStatus[]> {
  const files = new AssetFiles(dir);
  const statuses: CertificateStatus[] = [];
  const authorities: { readonly file: string; readonly certificates: readonly X509Certificate[] }[] = [];
  for (const { file } of Object.values(AUTHORITIES)) {
    const certificates = certificatesIn((await files.read(`${file}.pem`)) ?? "");
    const [first] = certificates;
    if (first === undefined) continue;
    authorities.push({ file, certificates: certificates.map((one) => new X509Certificate(one)) });
    statuses.push({
      file,
      authority: file,
      expiresAt: Date.parse(new X509Certificate(first).validTo),
      count: certificates.length,
    });
  }
  for (const file of await leafFiles(files)) {
    const certificate = new X509Certificate((await files.read(`${file}.pem`)) ?? "");
    const isSigner = (one: X509Certificate): boolean => certificate.checkIssued(one) && certificate.verify(one.publicKey);
    const authority = authorities.find(({ certificates }) => certificates.some(isSigner))?.file ?? file;
    statuses.push({ file, authority, expiresAt: Date.parse(certificate.validTo), count: 1 });
  }
  return statuses;
}

/** Files of pairs that are no authorities: those that every cluster has first, in their order. */
async function leafFiles(files: AssetFiles): Promise<readonly string[]> {
  const known = Object.values(LEAVES).map(({ file }) => file);
  const all = new Set(await files.pairs());
  const others = [...all].filter((file) => !known.includes(file) && !isAuthorityFile(file)).sort();
  return [...known.filter((file) => all.has(file)), ...others];
}

/** Of an authority, or of one that waits to take its place. */
function isAuthorityFile(file: string): boolean {
  return Object.values(AUTHORITIES).some((row) => file === row.file || file === `${row.file}-next`);
}

/** The certificates of a PEM text, one by one. */
export function certificatesIn(pem: string): string[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((block) => `${block}\n`);
}
