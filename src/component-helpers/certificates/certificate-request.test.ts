import { expect, test } from "vitest";
import { parseCertificateRequest } from "./certificate-request.ts";

/** Made by OpenSSL: P-256, `O=group-a, CN=jane`, two DNS names and an address. */
const WITH_NAMES = `-----BEGIN CERTIFICATE REQUEST-----
MIIBFDCBuwIBADAhMRAwDgYDVQQKDAdncm91cC1hMQ0wCwYDVQQDDARqYW5lMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENUGF4ptco0C5yTiUnPEcqFpCSt6bnyQ/
1gHeW+6AwbT0kswdcaCHyhmztZI2ssHR9c4QMV6O6ZwjphH2xaXRBaA4MDYGCSqG
SIb3DQEJDjEpMCcwJQYDVR0RBB4wHIIJYS5leGFtcGxlggliLmV4YW1wbGWHBAoA
AAEwCgYIKoZIzj0EAwIDSAAwRQIhAKGeUB577BYxdmnBusHKBPMBU/i0T8Qj64Jh
CM3OqvBzAiAkNw4DdUBFJHGxI10rC854p0JHuqKxncubJJE1MUuXPw==
-----END CERTIFICATE REQUEST-----`;
/** Made by OpenSSL: Ed25519, `CN=plain`. */
const PLAIN = `-----BEGIN CERTIFICATE REQUEST-----
MIGPMEMCAQAwEDEOMAwGA1UEAwwFcGxhaW4wKjAFBgMrZXADIQCYVqObupSkpX7b
Y69MsJeBayNex7TysktgYqpm85MdWKAAMAUGAytlcANBAJj3MoTtHNgN7sJhBXID
hACnccHdRHzGt0j9kx78XbPBE8xpjf+nc+Z/Z3ZD2/09WylXVcPfjqLMqN7zTUUw
8gI=
-----END CERTIFICATE REQUEST-----`;
const alternatives = { emails: 0, dnsNames: 0, uris: 0, ipAddresses: 0 };

test.each([
  {
    name: "names and alternatives",
    pem: `a text before\n${WITH_NAMES}`,
    want: { commonName: "jane", organizations: ["group-a"], alternatives: { ...alternatives, dnsNames: 2, ipAddresses: 1 } },
  },
  { name: "a name alone", pem: PLAIN, want: { commonName: "plain", organizations: [], alternatives } },
])("$name", ({ pem, want }) => {
  const request = parseCertificateRequest(pem);
  expect(request).toMatchObject(want);
  expect(request?.subjectAltName === undefined).toBe(pem === PLAIN);
  expect(request?.verifySignature()).toBe(true);
});

test("a name with half a character", () => {
  const [begin = "", ...lines] = WITH_NAMES.split("\n");
  const der = Buffer.from(lines.slice(0, -1).join(""), "base64");
  // From UTF8String to BMPString, whose characters have two bytes each.
  der.writeUInt8(0x1e, der.indexOf(Buffer.from([0x0c, 7])));
  expect(parseCertificateRequest([begin, der.toString("base64"), lines.at(-1)].join("\n"))).toBeUndefined();
});

test("a request of somebody who has not the key", () => {
  const [begin = "", ...lines] = WITH_NAMES.split("\n");
  const der = Buffer.from(lines.slice(0, -1).join(""), "base64");
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
  const forged = [begin, der.toString("base64"), lines.at(-1)].join("\n");
  expect(parseCertificateRequest(forged)?.verifySignature()).toBe(false);
});

test.each([
  ["no block", "hello"],
  ["a block without an end", "-----BEGIN CERTIFICATE REQUEST-----\nMIIB"],
  ["a block of something else", WITH_NAMES.replaceAll("CERTIFICATE REQUEST", "CERTIFICATE")],
  ["bytes that are cut off", `${WITH_NAMES.slice(0, 200)}\n-----END CERTIFICATE REQUEST-----`],
])("nothing can be read from %s", (_, pem) => {
  expect(parseCertificateRequest(pem)).toBeUndefined();
});
