import { expect, test } from "vitest";
import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { validateRequest, validateRequestStatus, validateRequestUpdate } from "./validation.ts";

const fields = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, type }) => `${field} ${type.replace("FieldValue", "")}`);
const pem = Buffer.from("-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n").toString("base64");
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
