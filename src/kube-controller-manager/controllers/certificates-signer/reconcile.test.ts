import { expect, test } from "vitest";
import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import { reconcile as approve } from "../certificates-approver/reconcile.ts";
import { reconcile as clean } from "../certificates-cleaner/reconcile.ts";
import { reconcile } from "./reconcile.ts";

/** Of `system:node:n1` in `system:nodes`; the second names the host n1 and the address 10.0.0.1 too. */
const CLIENT =
  "MIHqMIGSAgEAMDAxFTATBgNVBAoMDHN5c3RlbTpub2RlczEXMBUGA1UEAwwOc3lzdGVtOm5vZGU6bjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQeN2nwA1inysiBgb708gIeUIfaRxzwSuD0kqS9xUv7Qc1m6W1h7u9tZ8VsO7hucFZI/VMF294/XUJh5bg7tcDZoAAwCgYIKoZIzj0EAwIDRwAwRAIgW7eYg/AaB/os6lcN7uzmudTR5y51yH+ZDdzzNjP7J80CIH+N5xqoXJOKnDLR4Yy4P3xKLCQPvcs1p93laXcD5x9+";
const SERVING =
  "MIIBEjCBuAIBADAwMRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxFzAVBgNVBAMMDnN5c3RlbTpub2RlOm4xMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2le+5jPTyj0srZt8YvpfDwf0TWr3LB9hquUaQZhwyKsdUs4uh46F0l9FT8ONlEY6sxGsmfvtINmoK+KMzs5KaKAmMCQGCSqGSIb3DQEJDjEXMBUwEwYDVR0RBAwwCoICbjGHBAoAAAEwCgYIKoZIzj0EAwIDSQAwRgIhAI5r85mqENCj2FBi8beF7PzWcnNu1PZICIJA5qvf/1g/AiEAi6Qk2ZghR8YTJYsnXGp3D/Ukbb21q7PryR3NUyIrtYo=";
const NOW = Date.parse("2030-01-01T00:00:00Z");
const DAY = 24 * 60 * 60 * 1000;
const SIGN = ["digital signature"];

function csr(
  signer: string,
  body: string,
  usages: string[],
  more: Partial<CertificateSigningRequest["spec"]> = {},
  conditions = ["Approved"],
): CertificateSigningRequest {
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${body}\n-----END CERTIFICATE REQUEST-----\n`;
  return {
    metadata: { name: "c", creationTimestamp: "2030-01-01T00:00:00Z" },
    spec: { signerName: `kubernetes.io/${signer}`, request: Buffer.from(pem).toString("base64"), usages, ...more },
    status: { conditions: conditions.map((type) => ({ type, status: "True", lastUpdateTime: "2030-01-01T00:00:00Z" })) },
  };
}

const KUBELET = "kube-apiserver-client-kubelet";
const tampered = `${SERVING.slice(0, -12)}AAAAAAAA${SERVING.slice(-4)}`;

test.each<[string, CertificateSigningRequest, string[]]>([
  ["a kubelet's client", csr(KUBELET, CLIENT, [...SIGN, "client auth"]), ["sign until 365"]],
  ["a kubelet's server", csr("kubelet-serving", SERVING, [...SIGN, "key encipherment", "server auth"]), ["sign until 365"]],
  [
    "a client with names of hosts",
    csr(KUBELET, SERVING, [...SIGN, "client auth"]),
    ["fail: DNS subjectAltNames are not allowed"],
  ],
  [
    "a server without any",
    csr("kubelet-serving", CLIENT, [...SIGN, "server auth"]),
    ["fail: DNS or IP subjectAltName is required"],
  ],
  [
    "a kubelet's client that wants to serve",
    csr(KUBELET, CLIENT, [...SIGN, "server auth"]),
    ["fail: usages did not match [client auth digital signature key encipherment]"],
  ],
  [
    "any client that wants to serve",
    csr("kube-apiserver-client", CLIENT, ["client auth", "server auth"]),
    ["fail: invalid usage for client certificate: server auth"],
  ],
  [
    "any client that does not say so",
    csr("kube-apiserver-client", CLIENT, SIGN),
    ["fail: missing required usage for client certificate: client auth"],
  ],
  ["a short life", csr("kube-apiserver-client", CLIENT, ["client auth"], { expirationSeconds: 2 * 86_400 }), ["sign until 2"]],
  ["a signer elsewhere", csr("example", CLIENT, SIGN), []],
  ["no decision", csr(KUBELET, CLIENT, SIGN, {}, []), []],
  ["denied after all", csr(KUBELET, CLIENT, SIGN, {}, ["Approved", "Denied"]), []],
  ["failed before", csr(KUBELET, CLIENT, SIGN, {}, ["Approved", "Failed"]), []],
  ["a signature by another key", csr("kubelet-serving", tampered, [...SIGN, "server auth"]), []],
])("%s", (_name, given, want) => {
  const told = reconcile({ csr: given, nowMs: NOW, durationMs: 365 * DAY }).map((action) =>
    action.type === "fail" ? `fail: ${action.message}` : `sign until ${Math.round((action.notAfter - NOW) / DAY)}`,
  );
  expect(told).toEqual(want);
});

test.each<[string, CertificateSigningRequest, string[]]>([
  [
    "one's own",
    csr(KUBELET, CLIENT, [...SIGN, "client auth"], { username: "system:node:n1" }, []),
    ["selfnodeclient", "nodeclient"],
  ],
  ["another's", csr(KUBELET, CLIENT, [...SIGN, "client auth"], { username: "system:bootstrap:abc" }, []), ["nodeclient"]],
  ["what is no kubelet's", csr(KUBELET, CLIENT, ["client auth"], {}, []), []],
  ["for another signer", csr("kubelet-serving", SERVING, [...SIGN, "server auth"], {}, []), []],
  ["what was decided", csr(KUBELET, CLIENT, [...SIGN, "client auth"], {}, ["Denied"]), []],
])("approves %s by right", (_name, given, want) => {
  expect(approve({ csr: given }).flatMap(({ rights }) => rights.map(({ subresource }) => subresource))).toEqual(want);
});

test.each<[string, CertificateSigningRequest, number, string[]]>([
  ["a pending one stays a day", csr(KUBELET, CLIENT, [], {}, []), NOW + DAY, ["requeue"]],
  ["and then goes", csr(KUBELET, CLIENT, [], {}, []), NOW + DAY + 1, ["delete"]],
  ["a denied one stays an hour", csr(KUBELET, CLIENT, [], {}, ["Denied"]), NOW + DAY / 24 + 1, ["delete"]],
  ["an approved one waits for its certificate", csr(KUBELET, CLIENT, []), NOW + 100 * DAY, []],
])("cleaner: %s", (_name, given, nowMs, want) => {
  expect(clean({ csr: given, nowMs }).map(({ type }) => type)).toEqual(want);
});
