import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { FlagError, type FlagSpec, type ParsedFlags } from "#component-base/flags.ts";
import { AssetFiles } from "#pki/asset-files.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { RENEW_BEFORE_MS } from "#pki/cluster-assets.ts";
import type { CertificatePair } from "#pki/key-pair.ts";
import { file, text } from "./flag-specs.ts";

type ServingCertificateFlagTypes = {
  readonly "tls-cert-file": "string";
  readonly "tls-private-key-file": "string";
  readonly "cert-dir": "string";
};

/** Upstream's flags for what a program shows of itself. */
export const servingCertificateFlags: {
  readonly [N in keyof ServingCertificateFlagTypes]: FlagSpec<ServingCertificateFlagTypes[N]>;
} = {
  "tls-cert-file": file("Certificate that the program shows, with those that lead up to its authority; self-made when empty."),
  "tls-private-key-file": file("Key of that certificate."),
  "cert-dir": text("DIR", "Where self-made certificates are kept; in memory when empty."),
};

/** The pair that the flags name; else one that this program made for itself before, or makes now, as upstream does. */
export async function servingCertificate(
  flags: ParsedFlags<typeof servingCertificateFlags>,
  { program, hosts, clock }: { readonly program: string; readonly hosts: readonly string[]; readonly clock: Clock },
): Promise<CertificatePair> {
  const [cert, key] = [flags["tls-cert-file"], flags["tls-private-key-file"]];
  if ((cert === "") !== (key === "")) throw new FlagError("flags --tls-cert-file and --tls-private-key-file go together");
  if (cert !== "") return { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
  const files = new AssetFiles(flags["cert-dir"] === "" ? undefined : join(flags["cert-dir"]));
  await files.prepare();
  const now = clock.now();
  const kept = await files.readPair(program);
  if (kept !== undefined && isGood(kept.cert, hosts, now)) return kept;
  const authority = createAuthority(`${hostname()}-ca`, now);
  const request = { commonName: hostname(), usages: ["server" as const], hosts };
  const made = issueCertificate(authority, request, now);
  const pair = { cert: `${made.cert}${authority.cert}`, key: made.key };
  await files.writePair(program, pair);
  return pair;
}

function isGood(pem: string, hosts: readonly string[], now: number): boolean {
  const certificate = new X509Certificate(pem);
  const named = (host: string): boolean => certificate.checkHost(host) !== undefined || certificate.checkIP(host) !== undefined;
  return Date.parse(certificate.validTo) - now > RENEW_BEFORE_MS && hosts.every(named);
}
