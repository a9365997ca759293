import { constants, type KeyObject, sign, verify } from "node:crypto";
import { promisify } from "node:util";

/** A public key, and which it is where there are several. */
export interface VerificationKey {
  readonly publicKey: KeyObject;
  readonly keyId: string;
}

/** A private key. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly keyId: string;
}

/** A token taken apart; nothing of it is proven. */
export interface UnverifiedToken {
  readonly algorithm: string;
  readonly keyId: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: string;
  readonly signature: Buffer;
}

interface Algorithm {
  readonly keyType: "rsa" | "ec";
  /** OpenSSL's name of the curve; each has its own algorithm. */
  readonly curve?: string;
  readonly hash: string;
  readonly isPss?: boolean;
}

/** RFC 7518 §3.1, without the symmetric ones: whoever could check such a token could write it. */
const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  RS256: { keyType: "rsa", hash: "sha256" },
  RS384: { keyType: "rsa", hash: "sha384" },
  RS512: { keyType: "rsa", hash: "sha512" },
  PS256: { keyType: "rsa", hash: "sha256", isPss: true },
  PS384: { keyType: "rsa", hash: "sha384", isPss: true },
  PS512: { keyType: "rsa", hash: "sha512", isPss: true },
  ES256: { keyType: "ec", curve: "prime256v1", hash: "sha256" },
  ES384: { keyType: "ec", curve: "secp384r1", hash: "sha384" },
  ES512: { keyType: "ec", curve: "secp521r1", hash: "sha512" },
};

/** Every algorithm that tokens can be signed with. */
export const SIGNING_ALGORITHMS: readonly string[] = Object.keys(ALGORITHMS);

const signAsync = promisify(sign);

/** Takes a compact JWS apart (RFC 7515 §3.1); undefined when it is none, or asks for extensions. */
export function readToken(token: string): UnverifiedToken | undefined {
  const [header = "", payload = "", signature = "", ...more] = token.split(".");
  if (signature === "" || more.length > 0) return undefined;
  const head = readPart(header);
  const claims = readPart(payload);
  if (head === undefined || claims === undefined || head.crit !== undefined || head.b64 !== undefined) return undefined;
  const { alg, kid } = head;
  if (typeof alg !== "string" || !Object.hasOwn(ALGORITHMS, alg)) return undefined;
  return {
    algorithm: alg,
    keyId: typeof kid === "string" ? kid : "",
    claims,
    signed: `${header}.${payload}`,
    signature: Buffer.from(signature, "base64url"),
  };
}

function readPart(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether one of the keys signed the token. A key that the token does not name counts when the token names none. */
export function isSigned(token: UnverifiedToken, keys: readonly VerificationKey[]): boolean {
  const candidates = keys.filter(({ keyId }) => token.keyId === "" || keyId === "" || keyId === token.keyId);
  return candidates.some(({ publicKey }) => isSignedBy(token, publicKey));
}

function isSignedBy({ algorithm, signed, signature }: UnverifiedToken, key: KeyObject): boolean {
  const spec = ALGORITHMS[algorithm];
  // The key says which algorithms go with it, never the token alone.
  if (spec === undefined || key.asymmetricKeyType !== spec.keyType) return false;
  if (spec.curve !== undefined && key.asymmetricKeyDetails?.namedCurve !== spec.curve) return false;
  try {
    return verify(spec.hash, Buffer.from(signed), { key, ...parameters(spec) }, signature);
  } catch {
    return false;
  }
}

function parameters(spec: Algorithm): { dsaEncoding?: "ieee-p1363"; padding?: number; saltLength?: number } {
  if (spec.keyType === "ec") return { dsaEncoding: "ieee-p1363" };
  if (spec.isPss === true) return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return { padding: constants.RSA_PKCS1_PADDING };
}

/** The algorithm that goes with a key; throws for keys that upstream does not take either. */
export function algorithmOf(key: KeyObject): string {
  if (key.asymmetricKeyType === "rsa") return "RS256";
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const found = Object.entries(ALGORITHMS).find(([, spec]) => spec.curve !== undefined && spec.curve === curve);
  if (found === undefined) throw new Error("tokens are signed with RSA keys, or with ECDSA keys on P-256, P-384 or P-521");
  return found[0];
}

/** Writes and signs a compact JWS, on another thread. */
export async function signToken(claims: object, { privateKey, keyId }: SigningKey): Promise<string> {
  const alg = algorithmOf(privateKey);
  const spec = ALGORITHMS[alg] as Algorithm;
  const signed = `${encode({ alg, kid: keyId })}.${encode(claims)}`;
  const signature = await signAsync(spec.hash, Buffer.from(signed), { key: privateKey, ...parameters(spec) });
  return `${signed}.${signature.toString("base64url")}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
