import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { createAuthority, issueCertificate } from "./certificate.ts";

const NOW: number = Date.UTC(2027, 0, 1);
/** Made by `openssl ecparam -name prime256v1 -genkey`, for this test. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcBOJt6+jOhV8KUV5
aH/Wn36I9Jc+lMfPLz6YhwvSF9ehRANCAAS6bW2hkKHmzFdbUf+G0qe7xQO1M85f
q6LFSlBqoxyvL13jBwvGwJDyOSt6krIGgPyBCHUAgnPo5fK7kEwIYqfF
-----END PRIVATE KEY-----
`;
/** `openssl req -x509 -new -nodes -key KEY -subj /CN=kube-ca`, as guides make authorities: its key has a name of openssl's making. */
const BY_OPENSSL = `-----BEGIN CERTIFICATE-----
MIIBezCCASGgAwIBAgIUclXlXGMJgtgt+QzWb5QMsHCMxZIwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHa3ViZS1jYTAgFw0yNjExMjEyMzMwMDVaGA8yMTI2MTAyODIz
MzAwNVowEjEQMA4GA1UEAwwHa3ViZS1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABLptbaGQoebMV1tR/4bSp7vFA7Uzzl+rosVKUGqjHK8vXeMHC8bAkPI5K3qS
sgaA/IEIdQCCc+jl8ruQTAhip8WjUzBRMB0GA1UdDgQWBBRatDI3vEsxHDhn7qCP
+bOZdoXvNTAfBgNVHSMEGDAWgBRatDI3vEsxHDhn7qCP+bOZdoXvNTAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQDQuwYRBee7FltRZOlx1/86JpYw
QU+vsPeaH+/56PT8sgIgNAa6YlOKK7PJkXWwCmD6tl0HuRyT9blDJzuO0SeMK2k=
-----END CERTIFICATE-----
`;
/** The same without names of keys. */
const WITHOUT_IDENTIFIER = `-----BEGIN CERTIFICATE-----
MIIBOzCB4aADAgECAhQgyFaDOIFeMWDEOqnJXGaiPTuE4DAKBggqhkjOPQQDAjAS
MRAwDgYDVQQDDAdrdWJlLWNhMCAXDTI2MTEyMTIzMzEwN1oYDzIxMjYxMDI4MjMz
MTA3WjASMRAwDgYDVQQDDAdrdWJlLWNhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEum1toZCh5sxXW1H/htKnu8UDtTPOX6uixUpQaqMcry9d4wcLxsCQ8jkrepKy
BoD8gQh1AIJz6OXyu5BMCGKnxaMTMBEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjO
PQQDAgNJADBGAiEA1nr8uNzkwOEDlaESHH58AnBaZIi9ODnDuWK145uHVi0CIQCF
D9UdVTRGIH9he7CyPvVaC4iF8//Oq1nNm7+s9E8vUA==
-----END CERTIFICATE-----
`;

test.each([
  { name: "one of this project", authority: createAuthority("kubernetes", NOW) },
  { name: "one of openssl", authority: { key: KEY, cert: BY_OPENSSL } },
  { name: "one whose key has no name", authority: { key: KEY, cert: WITHOUT_IDENTIFIER } },
])("what is issued leads to its authority: $name", ({ authority }) => {
  const request = { commonName: "system:node:n1", organizations: ["system:nodes"], usages: ["client" as const] };
  const leaf = new X509Certificate(issueCertificate(authority, request, NOW).cert);
  const ca = new X509Certificate(authority.cert);
  expect(leaf.checkIssued(ca)).toBe(true);
  expect(leaf.verify(ca.publicKey)).toBe(true);
});
