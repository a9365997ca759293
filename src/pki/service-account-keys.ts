import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { writeSecretFile } from "./secret-file.ts";

/** The key that signs service account tokens. RSA, because upstream publishes RS256 in its issuer discovery document. */
export interface ServiceAccountKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Upstream's `keyIDFromPublicKey`: base64url of the SHA-256 of the public key's DER. */
  readonly keyId: string;
}

/** Gives the key, making it at the first call: an RSA key costs a tenth of a second that few clusters in tests ever need. */
export type ServiceAccountKeySource = () => Promise<ServiceAccountKey>;

const RSA_BITS = 2048;

/** A key that lives as long as the process. */
export function inMemoryServiceAccountKey(): ServiceAccountKeySource {
  let key: Promise<ServiceAccountKey> | undefined;
  return () => {
    key ??= generateRsaKey().then(describeKey);
    return key;
  };
}

/** The key in `<path>` (PEM); made and stored with its public half in `<publicPath>` when the file is absent. */
export function storedServiceAccountKey(path: string, publicPath: string): ServiceAccountKeySource {
  let key: Promise<ServiceAccountKey> | undefined;
  const load = async (): Promise<ServiceAccountKey> => {
    const pem = await readFile(path, "utf8").catch(() => undefined);
    if (pem !== undefined) return describeKey(createPrivateKey(pem));
    const made = describeKey(await generateRsaKey());
    await writeSecretFile(path, made.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    await writeSecretFile(publicPath, made.publicKey.export({ type: "spki", format: "pem" }).toString());
    return made;
  };
  return () => {
    key ??= load();
    return key;
  };
}

async function generateRsaKey(): Promise<KeyObject> {
  return (await promisify(generateKeyPair)("rsa", { modulusLength: RSA_BITS })).privateKey;
}

function describeKey(privateKey: KeyObject): ServiceAccountKey {
  const publicKey = createPublicKey(privateKey);
  const der = publicKey.export({ type: "spki", format: "der" });
  return { privateKey, publicKey, keyId: createHash("sha256").update(der).digest("base64url") };
}
