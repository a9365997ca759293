import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { NamedCertificate } from "#apiserver/server/named-certificates.ts";
import type { Clock } from "#base/clock.ts";
import { FlagError, type FlagSpec, type ParsedFlags } from "#component-base/flags.ts";
import { AssetFiles } from "#pki/asset-files.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { RENEW_BEFORE_MS } from "#pki/cluster-assets.ts";
import type { CertificatePair } from "#pki/key-pair.ts";
import { file, list, text } from "./flags/flag-specs.ts";

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

type NamedCertificateFlagTypes = { readonly "tls-sni-cert-key": "strings" };

/** Upstream's flag for what is shown to who asks for other names. */
export const namedCertificateFlags: {
  readonly [N in keyof NamedCertificateFlagTypes]: FlagSpec<NamedCertificateFlagTypes[N]>;
} = {
  "tls-sni-cert-key": {
    ...list("CERT,KEY[:NAMES]", "Certificate and key for who asks for these names, or for those in it; once for each pair."),
    isWhole: true,
  },
};

/** The pairs that the flag names, with their files read. */
export function namedCertificates(flags: ParsedFlags<typeof namedCertificateFlags>): Promise<readonly NamedCertificate[]> {
  return Promise.all(
    flags["tls-sni-cert-key"].map(async (text) => {
      const { cert, key, names } = parseNamedPair(text);
      return { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8"), names };
    }),
  );
}

/** The files that the flags name: what has to be looked at. */
export function certificateFiles(
  flags: ParsedFlags<typeof servingCertificateFlags> & Partial<ParsedFlags<typeof namedCertificateFlags>>,
): readonly string[] {
  const named = (flags["tls-sni-cert-key"] ?? []).map(parseNamedPair);
  return [flags["tls-cert-file"], flags["tls-private-key-file"], ...named.flatMap(({ cert, key }) => [cert, key])];
}

/** `cert,key` or `cert,key:name,name`. Throws a {@link FlagError}, as upstream's `NamedCertKey`. */
function parseNamedPair(text: string): { readonly cert: string; readonly key: string; readonly names: readonly string[] } {
  const colon = text.indexOf(":");
  const [cert = "", key = "", ...more] = (colon < 0 ? text : text.slice(0, colon)).split(",").map((part) => part.trim());
  if (cert === "" || key === "" || more.length > 0)
    throw new FlagError("expected comma separated certificate and key file paths");
  if (colon < 0) return { cert, key, names: [] };
  const names = text
    .slice(colon + 1)
    .split(",")
    .map((name) => name.trim());
  if (names.includes("")) throw new FlagError("empty domain name in list of domain names");
  return { cert, key, names };
}

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
