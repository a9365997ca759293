import { X509Certificate } from "node:crypto";
import { AssetFiles } from "./asset-files.ts";
import { AUTHORITIES, type AuthorityName, LEAVES, type LeafRow } from "./asset-table.ts";
import { createAuthority, issueCertificate } from "./certificate.ts";
import { certificatesIn } from "./certificate-status.ts";

/** Something cannot be done to certificates as they are. The message says what can. */
export class RotationError extends Error {
  override readonly name = "RotationError";
}

/** Tells whether a word names an authority. */
export function isAuthority(name: string): name is AuthorityName {
  return Object.hasOwn(AUTHORITIES, name);
}

/** Where the next authority waits, until the old one has been told of it everywhere. */
const nextFile = (name: AuthorityName): string => `${name}-next`;

/** Makes the certificates with these files anew, for the names that the old ones had. Throws {@link RotationError} for unknown ones. */
export async function renewLeaves(dir: string, names: readonly string[], now: number): Promise<void> {
  const files = new AssetFiles(dir);
  const rows: readonly LeafRow[] = Object.values(LEAVES);
  const unknown = names.find((name) => !rows.some(({ file }) => file === name));
  if (unknown !== undefined) {
    const all = [...rows, ...Object.values(AUTHORITIES)].map(({ file }) => file);
    throw new RotationError(`there is no certificate "${unknown}"; there are ${all.join(", ")}`);
  }
  for (const { file, authority, request, servesApi } of rows.filter(({ file }) => names.includes(file))) {
    const signer = await pairOf(files, authority);
    const old = await files.readPair(file);
    if (servesApi === true && old === undefined) throw new RotationError(`there is no ${file}.pem: the next start makes it`);
    const hosts = old === undefined ? [] : hostsOf(old.cert);
    await files.writePair(file, issueCertificate(signer, hosts.length > 0 ? { ...request, hosts } : request, now));
  }
}

/** The names and addresses of a certificate. */
function hostsOf(pem: string): string[] {
  const names = new X509Certificate(pem).subjectAltName ?? "";
  return names.split(", ").flatMap((name) => (name === "" ? [] : [name.slice(name.indexOf(":") + 1)]));
}

/**
 * Begins to replace an authority: a new one is trusted beside the old one, which goes on signing. Both stand in `NAME.pem`, for
 * everybody who has only the old one to take over. `now` is milliseconds since the Unix epoch.
 */
export async function addAuthority(dir: string, name: AuthorityName, now: number): Promise<void> {
  const files = new AssetFiles(dir);
  const old = await pairOf(files, name);
  if ((await files.readPair(nextFile(name))) !== undefined) {
    throw new RotationError(`${name} is already being replaced: give everybody ${name}.pem, then switch to the new one`);
  }
  const made = createAuthority(AUTHORITIES[name].commonName, now);
  await files.writePair(nextFile(name), made);
  await files.write(`${name}.pem`, [...certificatesIn(old.cert), made.cert].join(""));
}

/** Lets the new authority sign, and makes anew all that the old one signed. The old one stays trusted. */
export async function switchAuthority(dir: string, name: AuthorityName, now: number): Promise<void> {
  const files = new AssetFiles(dir);
  const next = await files.readPair(nextFile(name));
  if (next === undefined)
    throw new RotationError(`there is no new ${name} to switch to: begin with "kybern certs renew ${name}"`);
  const old = await pairOf(files, name);
  const rest = certificatesIn(old.cert).filter((cert) => cert.trim() !== next.cert.trim());
  // The key comes first: what it signs is trusted already.
  await files.write(`${name}-key.pem`, next.key);
  await files.write(`${name}.pem`, [next.cert, ...rest].join(""));
  await files.remove(nextFile(name));
  const signed = Object.values(LEAVES).filter(({ authority }) => authority === name);
  await renewLeaves(
    dir,
    signed.map(({ file }) => file),
    now,
  );
}

/** Ends the trust in all authorities but the one that signs. */
export async function forgetOldAuthorities(dir: string, name: AuthorityName): Promise<void> {
  const files = new AssetFiles(dir);
  if ((await files.readPair(nextFile(name))) !== undefined) {
    throw new RotationError(`the new ${name} does not sign yet: switch to it first`);
  }
  const { cert } = await pairOf(files, name);
  const [current, ...old] = certificatesIn(cert);
  if (current === undefined || old.length === 0)
    throw new RotationError(`${name}.pem holds one authority, and nothing to forget`);
  await files.write(`${name}.pem`, current);
}

async function pairOf(files: AssetFiles, name: AuthorityName): Promise<{ cert: string; key: string }> {
  const pair = await files.readPair(name);
  if (pair === undefined)
    throw new RotationError(`there is no ${name}.pem with ${name}-key.pem: is this the folder of a cluster's certificates?`);
  return pair;
}
