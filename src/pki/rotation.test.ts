import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { certificateStatuses, certificatesIn } from "./certificate-status.ts";
import { type ClusterAssets, ensureClusterAssets } from "./cluster-assets.ts";
import { addAuthority, forgetOldAuthorities, renewLeaves, switchAuthority } from "./rotation.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
let dir: string;
const clock = new ManualClock(Date.parse("2026-01-01T00:00:00Z"));
const ensure = (): Promise<ClusterAssets> =>
  ensureClusterAssets({ dir, clock, hosts: ["master.example.com"], serviceClusterIpRange: "10.96.0.0/12" });

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kybern-rotation-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Whether one of the authorities of a PEM text signed a certificate. */
function trusts(authorities: string, { cert }: { cert: string }): boolean {
  return certificatesIn(authorities).some((pem) => new X509Certificate(cert).verify(new X509Certificate(pem).publicKey));
}

test("every certificate says how long it holds", async () => {
  await ensure();
  const statuses = await certificateStatuses(dir);
  expect(statuses.map(({ file, authority }) => `${file} ${authority}`)).toEqual([
    "ca ca",
    "front-proxy-ca front-proxy-ca",
    "apiserver ca",
    "apiserver-kubelet-client ca",
    "admin ca",
    "controller-manager ca",
    "scheduler ca",
    "front-proxy-client front-proxy-ca",
  ]);
  const days = statuses.map(({ expiresAt }) => Math.round((expiresAt - clock.now()) / DAY_MS));
  expect([...new Set(days)]).toEqual([3650, 365]);
});

test("a certificate is made anew for the names that it had", async () => {
  const before = await ensure();
  await renewLeaves(dir, ["apiserver"], clock.now());
  const after = await ensure();
  expect(after.apiserver.cert).not.toBe(before.apiserver.cert);
  expect(new X509Certificate(after.apiserver.cert).subjectAltName).toBe(
    new X509Certificate(before.apiserver.cert).subjectAltName,
  );
  expect(after.admin).toEqual(before.admin);
  expect(statSync(join(dir, "apiserver-key.pem")).mode & 0o777).toBe(0o600);
  await expect(renewLeaves(dir, ["nonsense"], clock.now())).rejects.toThrow(
    'there is no certificate "nonsense"; there are ca, front-proxy-ca, apiserver,',
  );
});

test("what is about to end is made anew by itself", async () => {
  const before = await ensure();
  clock.advance(340 * DAY_MS);
  const after = await ensure();
  expect(after.admin.cert).not.toBe(before.admin.cert);
  expect(after.ca).toEqual(before.ca);
});

test("an authority is replaced while everybody stays trusted", async () => {
  const old = await ensure();
  await addAuthority(dir, "ca", clock.now());
  await expect(addAuthority(dir, "ca", clock.now())).rejects.toThrow("already being replaced");
  await expect(forgetOldAuthorities(dir, "ca")).rejects.toThrow("does not sign yet");
  const both = await ensure();
  expect(certificatesIn(both.ca.cert)).toHaveLength(2);
  expect(both.admin, "the old one still signs").toEqual(old.admin);

  await switchAuthority(dir, "ca", clock.now());
  await expect(switchAuthority(dir, "ca", clock.now())).rejects.toThrow("no new ca to switch to");
  const switched = await ensure();
  expect(trusts(old.ca.cert, switched.admin)).toBe(false);
  expect(trusts(both.ca.cert, switched.admin), "who took the new one over in time").toBe(true);
  expect(trusts(switched.ca.cert, old.admin), "who has a certificate of the old one").toBe(true);
  expect(switched.frontProxyClient).toEqual(old.frontProxyClient);

  await forgetOldAuthorities(dir, "ca");
  const last = await ensure();
  expect(trusts(last.ca.cert, old.admin)).toBe(false);
  expect(trusts(last.ca.cert, last.admin)).toBe(true);
  expect(last.admin).toEqual(switched.admin);
  expect(readFileSync(join(dir, "ca.pem"), "utf8")).toBe(last.ca.cert);
  await expect(forgetOldAuthorities(dir, "ca")).rejects.toThrow("nothing to forget");
});
