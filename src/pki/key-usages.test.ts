import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { createAuthority, signCertificateRequest } from "./certificate.ts";
import { derSequence } from "./der.ts";
import { keyUsageBits } from "./key-usages.ts";

test.each([
  { usages: ["digital signature", "key encipherment"], want: "030205a0" },
  { usages: ["decipher only"], want: "0303070080" },
  { usages: ["client auth"], want: undefined },
])("the bits of $usages", ({ usages, want }) => {
  expect(keyUsageBits(usages)?.toString("hex")).toBe(want);
});

test("a signed certificate says what it is for, and ends with its authority at the latest", () => {
  const now = Date.parse("2030-01-01T00:00:00Z");
  const authority = createAuthority("ca", now);
  const issuer = new X509Certificate(authority.cert);
  const pem = signCertificateRequest(authority, {
    subject: derSequence(),
    publicKey: issuer.publicKey.export({ type: "spki", format: "der" }),
    subjectAltName: undefined,
    usages: ["client auth", "server auth"],
    notBefore: now,
    notAfter: Date.parse("2100-01-01T00:00:00Z"),
  });
  const certificate = new X509Certificate(pem);
  expect(certificate.verify(issuer.publicKey)).toBe(true);
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  expect(certificate.validTo).toBe(issuer.validTo);
});
