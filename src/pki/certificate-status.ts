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

/** The certificates that lie in a folder, authorities first. What is not there has no entry. */
export async function certificateStatuses(dir: string): Promise<CertificateStatus[]> {
  const files = new AssetFiles(dir);
  const rows = [
    ...Object.values(AUTHORITIES).map(({ file }) => ({ file, authority: file })),
    ...Object.values(LEAVES).map(({ file, authority }) => ({ file, authority })),
  ];
  const statuses: CertificateStatus[] = [];
  for (const { file, authority } of rows) {
    const certificates = certificatesIn((await files.read(`${file}.pem`)) ?? "");
    const [first] = certificates;
    if (first === undefined) continue;
    statuses.push({ file, authority, expiresAt: Date.parse(new X509Certificate(first).validTo), count: certificates.length });
  }
  return statuses;
}

/** The certificates of a PEM text, one by one. */
export function certificatesIn(pem: string): string[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((block) => `${block}\n`);
}
