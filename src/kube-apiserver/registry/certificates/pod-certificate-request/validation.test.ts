import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import type { PodCertificateRequest } from "#api/generated/certificates/v1beta1.ts";
import { createAuthority, signCertificate } from "#pki/certificate.ts";
import { validateStatus } from "./status-validation.ts";
import { validatePodCertificateRequest, validatePodCertificateRequestUpdate } from "./validation.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const HOUR_MS = 60 * 60 * 1000;
/** Of node `n1`; DER. */
const STUB =
  "MIHqMIGSAgEAMDAxFTATBgNVBAoMDHN5c3RlbTpub2RlczEXMBUGA1UEAwwOc3lzdGVtOm5vZGU6bjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQeN2nwA1inysiBgb708gIeUIfaRxzwSuD0kqS9xUv7Qc1m6W1h7u9tZ8VsO7hucFZI/VMF294/XUJh5bg7tcDZoAAwCgYIKoZIzj0EAwIDRwAwRAIgW7eYg/AaB/os6lcN7uzmudTR5y51yH+ZDdzzNjP7J80CIH+N5xqoXJOKnDLR4Yy4P3xKLCQPvcs1p93laXcD5x9+";
const pair = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const spki = pair.publicKey.export({ type: "spki", format: "der" });
const proof = sign("sha256", Buffer.from("pod-uid"), pair.privateKey).toString("base64");

const legacy = { stubPKCS10Request: "", pkixPublicKey: spki.toString("base64"), proofOfPossession: proof };
const request = (over: object = {}, status?: object): PodCertificateRequest => ({
  metadata: { name: "r" },
  spec: {
    signerName: "example.com/signer",
    podName: "p",
    podUID: "pod-uid",
    serviceAccountName: "default",
    serviceAccountUID: "account-uid",
    nodeName: "n",
    nodeUID: "node-uid",
    maxExpirationSeconds: 86400,
    stubPKCS10Request: STUB,
    ...over,
  },
  ...(status === undefined ? {} : { status }),
});
const p224 = generateKeyPairSync("ec", { namedCurve: "secp224r1" }).publicKey.export({ type: "spki", format: "der" });
const range = (max: number): string => `must be in the range [3600, ${max}]`;
const changedStub = Buffer.from(STUB, "base64");
changedStub[60] = (changedStub[60] ?? 0) ^ 1;

test.each<[string, object, string[]]>([
  ["a request that its key signed", {}, []],
  ["a key, and its signature on the pod's UID", legacy, []],
  ["neither", { stubPKCS10Request: "" }, ["spec exactly one of"]],
  ["both", { pkixPublicKey: legacy.pkixPublicKey }, ["spec exactly one of"]],
  ["a signature on something else", { ...legacy, podUID: "other" }, ["spec.proofOfPossession could not verify"]],
  ["a key of a kind that is not taken", { ...legacy, pkixPublicKey: p224.toString("base64") }, ["spec.pkixPublicKey elliptic"]],
  ["no key", { ...legacy, pkixPublicKey: "AAAA" }, ["spec.pkixPublicKey must be a valid PKIX"]],
  ["no request", { stubPKCS10Request: "AAAA" }, ["spec.stubPKCS10Request must be a valid PKCS#10"]],
  ["too much", { stubPKCS10Request: "A".repeat(16_000) }, ["spec.stubPKCS10Request Too long"]],
  [
    "names and UIDs",
    { podName: "P", nodeUID: "", serviceAccountUID: "x".repeat(129) },
    ["spec.podName ", "spec.serviceAccountUID Too long", "spec.nodeUID must not be empty"],
  ],
  ["no life", { maxExpirationSeconds: undefined }, ["spec.maxExpirationSeconds must be set"]],
  ["a short life", { maxExpirationSeconds: 3599 }, [`spec.maxExpirationSeconds ${range(7_862_400)}`]],
  ["a long life", { maxExpirationSeconds: 7_862_401 }, [`spec.maxExpirationSeconds ${range(7_862_400)}`]],
  [
    "a day and more of Kubernetes",
    { signerName: "kubernetes.io/x", maxExpirationSeconds: 86_401 },
    [`spec.maxExpirationSeconds ${range(86_400)}`],
  ],
  ["no signer", { signerName: "x" }, ["spec.signerName must be a fully qualified"]],
])("%s", (_name, over, want) => {
  const found = validatePodCertificateRequest(request(over)).map(({ field, message }) => `${field} ${message}`);
  expect(found.length).toBe(want.length);
  for (const [i, text] of want.entries()) {
    const [field = "", ...words] = text.split(" ");
    expect(found[i]?.startsWith(`${field} `)).toBe(true);
    expect(found[i]).toContain(words.join(" "));
  }
});

test("what was asked cannot change", () => {
  expect(validatePodCertificateRequestUpdate(request(), request())).toEqual([]);
  expect(validatePodCertificateRequestUpdate(request({ podName: "q" }), request()).length).toBe(1);
});

const ca = createAuthority("ca", NOW);
const time = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z/, "Z");
const leafPem = signCertificate(ca, spki, { commonName: "p", usages: ["client"], lifetimeMs: 2 * HOUR_MS }, NOW);
const leaf = new X509Certificate(leafPem);
const [begins, ends] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
const condition = (type: string, more: object = {}): object => ({
  type,
  status: "True",
  reason: "R",
  message: "m",
  lastTransitionTime: time(NOW),
  ...more,
});
const issued = (over: object = {}): object => ({
  conditions: [condition("Issued")],
  certificateChain: leafPem + ca.cert,
  notBefore: time(begins),
  notAfter: time(ends),
  beginRefreshAt: time(begins + HOUR_MS),
  ...over,
});
const own = createPublicKey(createPrivateKey(ca.key)).export({ type: "spki", format: "der" });
const foreign = signCertificate(ca, own, { commonName: "p", usages: ["client"], lifetimeMs: 2 * HOUR_MS }, NOW);

test.each<[string, object | undefined, object, string]>([
  ["issued", undefined, issued(), ""],
  ["denied", undefined, { conditions: [condition("Denied")] }, ""],
  ["nothing yet", undefined, {}, ""],
  ["another condition", undefined, { conditions: [condition("Ready")] }, "Unsupported value"],
  ["two outcomes", undefined, { conditions: [condition("Denied"), condition("Failed")] }, "There may be at most one"],
  ["an outcome that is none", undefined, { conditions: [condition("Denied", { status: "False" })] }, "Unsupported value"],
  [
    "denied with a certificate",
    undefined,
    issued({ conditions: [condition("Denied")] }),
    "non-condition status fields must be empty",
  ],
  ["a certificate without an outcome", undefined, issued({ conditions: [] }), "immutable unless transitioning"],
  ["a second outcome", issued(), { conditions: [condition("Failed")] }, "immutable after"],
  ["the same again", issued(), issued(), ""],
  ["no certificate", undefined, issued({ certificateChain: "" }), "at least one certificate"],
  ["a key behind the certificate", undefined, issued({ certificateChain: leafPem + ca.key }), "CERTFICATE PEM blocks"],
  ["another's key", undefined, issued({ certificateChain: foreign }), "not issued to the requested public key"],
  ["no times", undefined, issued({ notBefore: undefined }), "must be present and consistent"],
  ["other times", undefined, issued({ notAfter: time(ends + 1000) }), "NotAfter time encoded"],
  ["an early renewal", undefined, issued({ beginRefreshAt: time(begins + 1000) }), "at least 10 minutes after"],
  ["a late renewal", undefined, issued({ beginRefreshAt: time(ends) }), "at least 10 minutes before"],
])("the status of %s", (_name, before, after, want) => {
  const messages = validateStatus(request(legacy, after), request(legacy, before), begins).map(({ message }) => message);
  if (want === "") expect(messages).toEqual([]);
  else expect(messages[0]).toContain(want);
});

test("a certificate may live as long as was asked, and begins now", () => {
  const asked = (over: object): PodCertificateRequest => request({ ...legacy, ...over });
  const told = (over: object, now: number): string | undefined =>
    validateStatus({ ...asked(over), status: issued() } as PodCertificateRequest, asked(over), now)[0]?.message;
  expect(told({ maxExpirationSeconds: 3600 }, begins)).toContain("lifetime must be <=");
  expect(told({}, begins + 6 * 60_000)).toContain("within 5 minutes");
});
