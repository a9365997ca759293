import { expect, test } from "vitest";
import type { ClusterTrustBundle } from "#api/generated/certificates/v1beta1.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { bundleNameMessages, validateBundle, validateBundleUpdate } from "./validation.ts";

const NOW = 1_700_000_000_000;
const ca = createAuthority("a", NOW);
const leaf = issueCertificate(ca, { commonName: "leaf", usages: ["client"] }, NOW);
const headed = ca.cert.replace("-----\n", "-----\nKey: value\n\n");
const bundle = (trustBundle: string, signerName = ""): ClusterTrustBundle => ({
  metadata: {},
  spec: { trustBundle, signerName },
});
const messages = (errors: readonly { message: string }[]): string[] => errors.map(({ message }) => message);

test.each([
  ["an authority", ca.cert, []],
  ["text around it", `hello\n${ca.cert}bye\n`, []],
  ["nothing", "", ["at least one trust anchor must be provided"]],
  ["a certificate of no authority", leaf.cert, ["entry 0 does not have the CA bit set"]],
  ["a key behind it", ca.cert + leaf.key, ["entry 1 has bad block type: "]],
  ["headers", headed, ["entry 0 has PEM block headers"]],
  ["no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ["entry 0 does not parse as X.509"]],
  ["the same twice", ca.cert + ca.cert, ["duplicate trust anchor (indices [0 1])"]],
  ["too much", "x".repeat(1024 * 1024 + 1), ["Too long: may not be more than 1048576 bytes"]],
])("%s", (_name, text, want) => {
  const found = messages(validateBundle(bundle(text)));
  expect(found.length).toBe(want.length);
  for (const [i, part] of want.entries()) expect(found[i]).toContain(part);
});

test.each([
  ["", "plain", []],
  ["", "a:b", ['ClusterTrustBundle without signer name must not have ":" in its name']],
  ["example.com/s", "example.com:s:v1", []],
  ["example.com/s", "v1", ["ClusterTrustBundle for signerName example.com/s must be named with prefix example.com:s:"]],
])("signer %j, name %j", (signer, name, want) => {
  expect(bundleNameMessages(bundle("", signer), name)).toEqual(want);
});

test("what was stored may stay, and the signer may not change", () => {
  expect(validateBundleUpdate(bundle("old"), bundle("old"))).toEqual([]);
  expect(messages(validateBundleUpdate(bundle("new"), bundle("old"))).length).toBe(1);
  const [changed] = messages(validateBundleUpdate(bundle(ca.cert, "a.b/d"), bundle(ca.cert, "a.b/c")));
  expect(changed).toContain("field is immutable");
});
