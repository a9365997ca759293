import { AssetFiles } from "./asset-files.ts";
import { AUTHORITIES, type AuthorityName } from "./asset-table.ts";
import { createAuthority, issueCertificate } from "./certificate.ts";
import { certificateStatuses, certificatesIn } from "./certificate-status.ts";
import { algorithmOf } from "./key-pair.ts";
import { leafRequestOf } from "./leaf-request.ts";

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

/**
 * Makes the certificates with these files anew, for the holder, names and uses that the old ones had and with keys of the same
 * kind. Throws {@link RotationError} for unknown ones.
 */
export async function renewLeaves(dir: string, names: readonly string[], now: number): Promise<void> {
  const files = new AssetFiles(dir);
  const statuses = await certificateStatuses(dir);
  const known = statuses.filter(({ file }) => !isAuthority(file));
  const unknown = names.find((name) => !known.some(({ file }) => file === name));
  if (unknown !== undefined) {
    throw new RotationError(`there is no certificate "${unknown}"; there are ${statuses.map(({ file }) => file).join(", ")}`);
  }
  for (const { file, authority } of known.filter(({ file }) => names.includes(file))) {
    if (!isAuthority(authority)) throw new RotationError(`${file}.pem was signed by none of the authorities of this folder`);
    const signer = await pairOf(files, authority);
    const { cert, key } = await pairOf(files, file);
    await files.writePair(file, issueCertificate(signer, leafRequestOf(cert), now, algorithmOf(key)));
  }
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
  const made = createAuthority(AUTHORITIES[name].commonName, now, algorithmOf(old.key));
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
  const signed = (await certificateStatuses(dir)).filter(({ file, authority }) => authority === name && file !== name);
  // The key comes first: what it signs is trusted already.
  await files.write(`${name}-key.pem`, next.key);
  await files.write(`${name}.pem`, [next.cert, ...rest].join(""));
  await files.remove(nextFile(name));
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

async function pairOf(files: AssetFiles, name: string): Promise<{ cert: string; key: string }> {
  const pair = await files.readPair(name);
  if (pair === undefined)
    throw new RotationError(`there is no ${name}.pem with ${name}-key.pem: is this the folder of a cluster's certificates?`);
  return pair;
}
