import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { type CertificatePair, EC_ALGORITHM, exportPrivateKey, generateKeys, importPrivateKey } from "./key-pair.ts";

cryptoProvider.set(webcrypto as never);

const DAY_MS = 24 * 60 * 60 * 1000;
/** As kubeadm: ten years for a CA, one year for what it signs. */
const CA_DAYS = 3650;
const LEAF_DAYS = 365;
/** A certificate is valid from a little before it is made, so that clocks may differ. */
const BACKDATE_MS = 5 * 60 * 1000;

/** What a certificate says of its holder: user and groups for a client, names and addresses for a server. */
export interface LeafRequest {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usages: readonly ("client" | "server")[];
}

/** A CA that can sign. `now` is milliseconds since the epoch. */
export interface CertificateAuthority {
  readonly pair: CertificatePair;
  issue(request: LeafRequest, now: number): Promise<CertificatePair>;
}

/** Makes a self-signed CA. */
export async function createAuthority(commonName: string, now: number): Promise<CertificateAuthority> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: EC_ALGORITHM,
    serialNumber: serialNumber(),
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + CA_DAYS * DAY_MS),
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment | KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return authority(
    { cert: `${certificate.toString("pem")}\n`, key: await exportPrivateKey(keys.privateKey) },
    certificate,
    keys.privateKey,
  );
}

/** Takes up a CA that was made before. Throws when certificate or key cannot be read. */
export async function loadAuthority(pair: CertificatePair): Promise<CertificateAuthority> {
  return authority(pair, new X509Certificate(pair.cert), await importPrivateKey(pair.key));
}

function authority(pair: CertificatePair, ca: X509Certificate, signingKey: webcrypto.CryptoKey): CertificateAuthority {
  const issue = async (request: LeafRequest, now: number): Promise<CertificatePair> => {
    const keys = await generateKeys();
    const names = [
      ...(request.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
      ...(request.ipAddresses ?? []).map((value) => ({ type: "ip" as const, value })),
    ];
    const usages = request.usages.map((usage) =>
      usage === "client" ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth,
    );
    const certificate = await X509CertificateGenerator.create({
      subject: [...(request.organizations ?? []).map((o) => ({ O: [o] })), { CN: [request.commonName] }],
      issuer: ca.subject,
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: EC_ALGORITHM,
      serialNumber: serialNumber(),
      notBefore: new Date(now - BACKDATE_MS),
      notAfter: new Date(Math.min(now + LEAF_DAYS * DAY_MS, ca.notAfter.getTime())),
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
        new ExtendedKeyUsageExtension(usages),
        await AuthorityKeyIdentifierExtension.create(ca.publicKey),
        ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
      ],
    });
    return { cert: `${certificate.toString("pem")}\n`, key: await exportPrivateKey(keys.privateKey) };
  };
  return { pair, issue };
}

/** 16 random bytes with the top bit clear: a positive serial number. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}

/** When a certificate ends, in milliseconds since the epoch. */
export function expiryOf(cert: string): number {
  return new X509Certificate(cert).notAfter.getTime();
}
