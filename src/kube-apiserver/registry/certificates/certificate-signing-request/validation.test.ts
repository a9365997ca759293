import { expect, test } from "vitest";
import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { validateRequest, validateRequestStatus, validateRequestUpdate } from "./validation.ts";

const fields = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, type }) => `${field} ${type.replace("FieldValue", "")}`);
const pemOf = (type: string, lines: string): string =>
  Buffer.from(`-----BEGIN ${type}-----\n${lines}\n-----END ${type}-----\n`).toString("base64");
/** Made by OpenSSL: Ed25519, `CN=plain`. */
const PLAIN =
  "MIGPMEMCAQAwEDEOMAwGA1UEAwwFcGxhaW4wKjAFBgMrZXADIQCYVqObupSkpX7bY69MsJeBayNex7TysktgYqpm85MdWKAAMAUGAytlcANBAJj3MoTtHNgN7sJhBXIDhACnccHdRHzGt0j9kx78XbPBE8xpjf+nc+Z/Z3ZD2/09WylXVcPfjqLMqN7zTUUw8gI=";
const pem = pemOf("CERTIFICATE REQUEST", PLAIN);
const request = (change: object, ...types: string[]): CertificateSigningRequest =>
  ({
    metadata: {},
    spec: { request: pem, signerName: "example.com/s", usages: ["client auth"], ...change },
    status: { conditions: types.map((type) => ({ type, status: "True" })) },
  }) as CertificateSigningRequest;

const cases: [string, CertificateSigningRequest, string[]][] = [
  ["what it needs", request({}), []],
  ["no PEM", request({ request: "AA==" }), ["spec.request Invalid"]],
  ["a usage twice", request({ usages: ["any", "any"] }), ["spec.usages[1] Duplicate"]],
  ["an unknown usage", request({ usages: ["fly"] }), ["spec.usages[0] NotSupported"]],
  ["the legacy signer", request({ signerName: "kubernetes.io/legacy-unknown" }), ["spec.signerName Invalid"]],
  ["too short a life", request({ expirationSeconds: 599 }), ["spec.expirationSeconds Invalid"]],
];
test.each(cases)("request with %s", (_name, csr, want) => {
  expect(fields(validateRequest(csr))).toEqual(want);
});

test("a decision is final and one", () => {
  expect(fields(validateRequestUpdate(request({}), request({}, "Denied")))).toEqual(["status.conditions Forbidden"]);
  expect(fields(validateRequestUpdate(request({}, "Approved", "Denied"), request({})))).toEqual(["status.conditions Invalid"]);
  expect(fields(validateRequestStatus(request({}, "Approved"), request({})))).toEqual(["status.conditions Forbidden"]);
});

const FORGED = PLAIN.replace("wwFcGxhaW4", "wwFcGxhaX4");
const PARAMETERS =
  "{optional:false explicit:false application:false private:false defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false omitEmpty:false}";
test.each<[string, string, string]>([
  ["another type of block", pemOf("CERTIFICATE", PLAIN), "PEM block type must be CERTIFICATE REQUEST"],
  ["nothing in it", pemOf("CERTIFICATE REQUEST", ""), "asn1: syntax error: sequence truncated"],
  ["one byte in it", pemOf("CERTIFICATE REQUEST", "AA=="), "asn1: syntax error: truncated tag or length"],
  [
    "text in it",
    pemOf("CERTIFICATE REQUEST", Buffer.from("Hello").toString("base64")),
    `asn1: structure error: tags don't match (16 vs {class:1 tag:8 length:101 isCompound:false}) ${PARAMETERS} certificateRequest @2`,
  ],
  ["half of it", pemOf("CERTIFICATE REQUEST", PLAIN.slice(0, 80)), "asn1: syntax error: data truncated"],
  ["another name than was signed", pemOf("CERTIFICATE REQUEST", FORGED), "x509: Ed25519 verification failure"],
])("request with %s", (_name, given, want) => {
  const [error] = validateRequest(request({ request: given }));
  expect(error?.message).toBe(`Invalid value: "${given}": ${want}`);
});

test.each<[string, string, string]>([
  ["no block", "x", "must contain at least one CERTIFICATE PEM block"],
  ["a request", pem, 'only CERTIFICATE PEM blocks are allowed, found "CERTIFICATE REQUEST"'],
  ["an empty block", pemOf("CERTIFICATE", ""), "found CERTIFICATE PEM block containing 0 certificates"],
  ["text", pemOf("CERTIFICATE", "AA=="), "x509: malformed certificate"],
  ["headers", pemOf("CERTIFICATE", "a: b\n\nAA=="), "no PEM block headers are permitted"],
])("a certificate that is %s", (_name, certificate, want) => {
  const now = { ...request({}), status: { certificate } };
  const messages = (old: CertificateSigningRequest): string[] => validateRequestStatus(now, old).map(({ message }) => message);
  expect(messages(request({}))).toEqual([`Invalid value: "<certificate data>": ${want}`]);
  // What was wrong before may be wrong still, and what is there stays.
  expect(messages(now)).toEqual([]);
});

test("conditions may contradict each other only where they did", () => {
  const both = request({}, "Denied", "Approved");
  expect(validateRequestUpdate(both, request({}, "Denied"))).toMatchObject([
    { message: 'Invalid value: "Approved": Approved and Denied conditions are mutually exclusive' },
  ]);
  expect(validateRequestUpdate(both, both)).toEqual([]);
  expect(fields(validateRequestUpdate(request({}, "A", "A"), request({})))).toEqual(["status.conditions[1].type Duplicate"]);
  expect(validateRequestUpdate(request({}, "A", "A", "B"), request({}, "A", "A"))).toEqual([]);
});
