import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { ensureClusterAssets, firstAddress } from "./cluster-assets.ts";

const options = { clock: realClock, hosts: ["master.example.com", "192.0.2.7"], serviceClusterIpRange: "10.96.0.0/12" };

test("the serving certificate names the service, its first address and the given hosts", async () => {
  const { ca, apiserver } = await ensureClusterAssets(options);
  const certificate = new X509Certificate(apiserver.cert);
  expect(certificate.verify(new X509Certificate(ca.cert).publicKey)).toBe(true);
  for (const name of ["kubernetes.default.svc.cluster.local", "master.example.com"])
    expect(certificate.checkHost(name)).toBe(name);
  for (const ip of ["10.96.0.1", "192.0.2.7", "127.0.0.1"]) expect(certificate.checkIP(ip)).toBe(ip);
});

test("the administrator is of system:masters", async () => {
  const { admin } = await ensureClusterAssets(options);
  expect(new X509Certificate(admin.cert).subject).toBe("O=system:masters\nCN=kubernetes-admin");
});

test("what is on disk is kept, and keys are for their owner only", async () => {
  const dir = mkdtempSync(join(tmpdir(), "kybern-pki-"));
  try {
    const first = await ensureClusterAssets({ ...options, dir });
    const second = await ensureClusterAssets({ ...options, dir });
    expect(second.ca).toEqual(first.ca);
    expect(second.admin).toEqual(first.admin);
    expect((await second.serviceAccount()).keyId).toBe((await first.serviceAccount()).keyId);
    for (const key of ["ca-key.pem", "admin-key.pem", "apiserver-key.pem", "service-account-key.pem"]) {
      expect(statSync(join(dir, key)).mode & 0o777).toBe(0o600);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test.each([
  ["10.96.0.0/12", "10.96.0.1"],
  ["10.0.0.0/24", "10.0.0.1"],
  ["172.16.5.9/16", "172.16.0.1"],
  ["fd00:10:96::/112", "fd00:10:96::1"],
  ["10.96.0.0/12,fd00:10:96::/112", "10.96.0.1"],
  ["fd00:10:96::/112,10.96.0.0/12", "fd00:10:96::1"],
])("the first address of %s is %s", (cidr, want) => {
  expect(firstAddress(cidr)).toBe(want);
});

test.each(["", "10.96.0.0", "services"])("%j has no first address", (range) => {
  expect(() => firstAddress(range)).toThrow(RangeError);
});
