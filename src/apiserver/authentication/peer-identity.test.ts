import type { DetailedPeerCertificate } from "node:tls";
import { expect, test } from "vitest";
import { certificateUser, peerIdentifier } from "./peer-identity.ts";

const UID = "1.3.6.1.4.1.57683.2";
const told = (subject: object): string => {
  const user = certificateUser({ subject, fingerprint256: "AA:BB" });
  return user === undefined ? "nobody" : [user.name, user.uid || "-", ...user.groups].join(" ");
};

test.each([
  { name: "user and groups", subject: { CN: "jane", O: ["dev", "ops"] }, want: "jane - dev ops system:authenticated" },
  { name: "one group", subject: { CN: "jane", O: "dev" }, want: "jane - dev system:authenticated" },
  { name: "a UID", subject: { CN: "jane", [UID]: "7" }, want: "jane 7 system:authenticated" },
  { name: "two UIDs", subject: { CN: "jane", [UID]: ["7", "8"] }, want: "nobody" },
  { name: "an empty UID", subject: { CN: "jane", [UID]: "" }, want: "nobody" },
  { name: "the last of several names", subject: { CN: ["first", "last"] }, want: "last - system:authenticated" },
  { name: "no name", subject: { O: "system:masters" }, want: "nobody" },
])("$name", ({ subject, want }) => {
  expect(told(subject)).toBe(want);
});

test("what a certificate is good for depends on its authority, and an untrusted one is good for nothing", () => {
  const certificate = { subject: { CN: "front-proxy-client" }, fingerprint256: "AA" } as unknown as DetailedPeerCertificate;
  const identify = peerIdentifier({ clients: [], proxies: [], proxyNames: [] });
  expect(identify(certificate, false)).toEqual({});
  expect(identify(certificate, true)).toEqual({});
});
