import { expect, test } from "vitest";
import { requestedOrganizations } from "./certificate-subject.ts";

/** CN jane, organizations devs and Büro. */
const REQUEST = `-----BEGIN CERTIFICATE REQUEST-----
MIHpMIGQAgEAMC4xDTALBgNVBAMMBGphbmUxDTALBgNVBAoMBGRldnMxDjAMBgNV
BAoMBULDvHJvMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEg1FYNiJZlCN8hSrJ
oMstFitFRXwBhy7HCWN6q31vN9agaD4xD13BgKeRz3Y3zDfMUVeXdiDWe6DYQxVD
D8ziHqAAMAoGCCqGSM49BAMCA0gAMEUCIQC8wcJeIQTgWUxE7n7SriZ4hSR6Sq7C
3tjEp2Lqay+ZRQIgaakYMs/ipHVxxvT/2wTJo3XNYblytAudfHUw0kv9fHE=
-----END CERTIFICATE REQUEST-----`;

const pem = (hex: string): string =>
  `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(hex, "hex").toString("base64")}\n-----END CERTIFICATE REQUEST-----`;

test("reads the organizations", () => {
  expect(requestedOrganizations(REQUEST)).toEqual(["devs", "Büro"]);
});

test.each([
  { name: "no PEM", text: "nothing" },
  { name: "no bytes", text: pem("") },
  { name: "a length beyond the end", text: pem("3084ffffffff00") },
  { name: "a length of unknown length", text: pem("308002010030800000") },
  { name: "another value in the place of the subject", text: pem("300730050201000500") },
])("$name cannot be read", ({ text }) => {
  expect(requestedOrganizations(text)).toBeUndefined();
});
