import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect, test } from "vitest";
import { tlsWarnings } from "./tls-warnings.ts";

/** Of an elliptic curve; whose key is forgotten. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBbzCCARWgAwIBAgIUNDdMR3sHizpWpbjq2637Fuma29kwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAgFw0yNjExMjEyMDUxMjdaGA8yMTI2MTAyODIwNTEyN1ow
DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLJuEibhFhJv
gEIKyTB2zoJ2h/L5VC4LWvctyFINRi1VjgR9kp3HAI4sy6dPaVKugEUa4ZU+a5I/
2dxWJg/ldwKjUzBRMB0GA1UdDgQWBBRQ3tdOvdIRR8+AYAHr91aEtS8uFzAfBgNV
HSMEGDAWgBRQ3tdOvdIRR8+AYAHr91aEtS8uFzAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0gAMEUCIQCgcSm3Z/9z4do1kgtZ5wULuxFpA/4VmgbUuAGTRztU
/wIga1EqMDta4nDK92VxceYAKlwHe5nPzWLdrSYPtK3b23Q=
-----END CERTIFICATE-----
`;
const block = (type: string, text: string): string =>
  `-----BEGIN ${type}-----\n${Buffer.from(text).toString("base64")}\n-----END ${type}-----\n`;
const pem = (key: KeyObject): string => key.export({ format: "pem", type: "pkcs8" }).toString();
const ecKey = pem(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
const edKey = pem(generateKeyPairSync("ed25519").privateKey);

test.each<[string, string, string, string]>([
  ["no certificate", "x", ecKey, "tls: failed to find any PEM data in certificate input"],
  [
    "both in each other's place",
    ecKey,
    CERTIFICATE,
    "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched",
  ],
  [
    "other things than a certificate",
    block("A", "a") + block("B C", "b"),
    ecKey,
    'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [A B C]',
  ],
  ["no key", CERTIFICATE, block("A", "a").replace("YQ==", "YQ="), "tls: failed to find any PEM data in key input"],
  [
    "a certificate for a key",
    CERTIFICATE,
    CERTIFICATE,
    "tls: found a certificate rather than a key in the PEM for the private key",
  ],
  [
    "other things than a key",
    CERTIFICATE,
    block("KEY", "a"),
    'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [KEY]',
  ],
  ["a certificate of nothing", block("CERTIFICATE", "a"), ecKey, "x509: malformed certificate"],
  ["a key of nothing", CERTIFICATE, block("RSA PRIVATE KEY", "a"), "tls: failed to parse private key"],
  ["a key of another kind", CERTIFICATE, edKey, "tls: private key type does not match public key type"],
  ["another key", CERTIFICATE, ecKey, "tls: private key does not match public key"],
])("a pair with %s", (_, certificate, key, want) => {
  const data = { "tls.crt": Buffer.from(certificate).toString("base64"), "tls.key": Buffer.from(key).toString("base64") };
  expect(tlsWarnings({ metadata: {}, type: "kubernetes.io/tls", data })).toEqual([want]);
  expect(tlsWarnings({ metadata: {}, type: "Opaque", data })).toEqual([]);
});
