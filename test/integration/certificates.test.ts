import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { systemRandom } from "#base/random.ts";
import { keepCertificates } from "#cmd/keep-certificates.ts";
import { silentLogger } from "#component-base/logging.ts";
import { type ControlPlane, startControlPlane } from "#envtest/control-plane.ts";
import { type ClusterAssets, ensureClusterAssets } from "#pki/cluster-assets.ts";
import { addAuthority, forgetOldAuthorities, renewLeaves, switchAuthority } from "#pki/rotation.ts";
import type { KVStore } from "#storage/kv.ts";
import { asker } from "../support/ask.ts";
import { isBuilt, programPath } from "../support/program.ts";
import { openTestStore } from "../support/store.ts";

const RANGE = "10.96.0.0/12";

describe("certificates are made anew while the server runs", () => {
  const dir = mkdtempSync(join(tmpdir(), "kybern-certificates-"));
  let kv: KVStore;
  const clock = new ManualClock();
  const ensure = () => ensureClusterAssets({ dir, clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange: RANGE });
  let plane: ControlPlane;
  let first: ClusterAssets;

  beforeAll(async () => {
    kv = await openTestStore();
    first = await ensure();
    plane = await startControlPlane({
      kv,
      clock: realClock,
      random: systemRandom,
      logger: silentLogger,
      assets: first,
      bindAddress: "127.0.0.1",
      port: 0,
      serviceClusterIpRange: RANGE,
      authentication: {},
      nodes: 0,
    });
    keepCertificates({ assets: first, ensure, onChange: (next) => plane.useCertificates(next), clock, logger: silentLogger });
  });
  afterAll(async () => {
    await plane?.stop();
    await kv.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const shown = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(plane.apiServer.port, "127.0.0.1", { rejectUnauthorized: false }, () => {
        resolve(socket.getPeerX509Certificate()?.toString() ?? "");
        socket.destroy();
      });
      socket.on("error", reject);
    });
  const as = async ({ ca }: Pick<ClusterAssets, "ca">, { admin }: Pick<ClusterAssets, "admin">): Promise<number | string> => {
    const credentials = { ca: ca.cert, cert: admin.cert, key: admin.key };
    const asked = asker({ url: plane.apiServer.url, credentials })("GET", "/api/v1/namespaces");
    return asked.then(
      ({ status }) => status,
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
  };
  /** Lets the minute pass after which the files are looked at. */
  const takenUp = async (): Promise<ClusterAssets> => {
    const assets = await ensure();
    clock.advance(60_000);
    await expect.poll(shown).toBe(assets.apiserver.cert);
    return assets;
  };

  test("a renewed serving certificate is shown to who connects next", async () => {
    expect(await shown()).toBe(first.apiserver.cert);
    await renewLeaves(dir, ["apiserver"], realClock.now());
    const renewed = await takenUp();
    expect(renewed.apiserver.cert).not.toBe(first.apiserver.cert);
    expect(await as(first, first)).toBe(200);
  });

  test("another authority takes the place of the first, and nobody is shut out before the end", async () => {
    await addAuthority(dir, "ca", realClock.now());
    const both = await takenUp();
    await switchAuthority(dir, "ca", realClock.now());
    const switched = await takenUp();
    expect(await as(both, first), "the old certificate, with both authorities").toBe(200);
    expect(await as(switched, switched), "the new certificate").toBe(200);
    expect(await as(first, first), "who never took the new authority over").toMatch(/SELF_SIGNED_CERT|UNABLE_TO_VERIFY/);
    await forgetOldAuthorities(dir, "ca");
    const last = await ensure();
    clock.advance(60_000);
    await expect.poll(() => as(last, first)).toBe(401);
    expect(await as(last, last)).toBe(200);
  });
});

describe.skipIf(!isBuilt)("kybern certs (needs dist/, which npm run build makes)", () => {
  const dir = mkdtempSync(join(tmpdir(), "kybern-certs-"));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [programPath, "certs", ...args, "--data-dir", dir], { encoding: "utf8" });

  test("check lists what there is, and renew makes it anew", async () => {
    expect(run("check")).toMatchObject({ status: 1, stderr: expect.stringContaining("there are no certificates in") });
    await ensureClusterAssets({ dir: join(dir, "pki"), clock: realClock, hosts: [], serviceClusterIpRange: RANGE });
    const checked = run("check");
    expect(checked.status).toBe(0);
    expect(checked.stdout).toMatch(/^CERTIFICATE +EXPIRES +RESIDUAL TIME +SIGNED BY\nca +\S+Z +3649d +itself\n/);
    expect(checked.stdout).toMatch(/^admin +\S+Z +364d +ca$/m);
    expect(run("check", "--within", "400").stderr).toContain("less than 400 days are left");
    const before = readFileSync(join(dir, "pki/admin.pem"), "utf8");
    expect(run("renew", "admin")).toMatchObject({ status: 0, stdout: "Renewed admin.\n" });
    expect(readFileSync(join(dir, "pki/admin.pem"), "utf8")).not.toBe(before);
    expect(run("renew", "ca").stdout).toContain("trusted beside the old one");
    expect(run("check").stdout).toMatch(/^ca .*itself, beside 1 more$/m);
    expect(run("renew", "nonsense")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('there is no certificate "nonsense"'),
    });
    expect(run("nonsense")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('takes "check", "create" or "renew NAME"'),
    });
    execFileSync("openssl", ["verify", "-CAfile", join(dir, "pki/ca.pem"), join(dir, "pki/admin.pem")]);
  });

  test("create makes those of several machines, with keys of the wanted kind, which openssl takes", () => {
    const assets = join(dir, "assets");
    const create = (...args: string[]) => run("create", "--cert-dir", assets, "--encryption-algorithm", "RSA-2048", ...args);
    expect(create()).toMatchObject({ status: 2, stderr: expect.stringContaining("name the masters: --master NAME=ADDRESS") });
    const machines = [
      "--master",
      "m1=10.0.0.1,m2=10.0.0.2",
      "--worker",
      "w1.example.com=10.0.1.1",
      "--load-balancer",
      "10.0.0.100",
    ];
    expect(create(...machines)).toMatchObject({ status: 0, stdout: expect.stringContaining("w1.example.com-worker-key.pem") });
    expect(create(...machines).stdout).toBe(`All is there in ${assets}.\n`);
    expect(create("--master", "nowhere").stderr).toContain('not "nowhere"');
    const openssl = (...args: string[]): string => execFileSync("openssl", args, { encoding: "utf8", cwd: assets });
    for (const file of ["apiserver", "kubernetes", "w1.example.com-worker"]) {
      openssl("verify", "-CAfile", "ca.pem", "-purpose", "sslserver", "-purpose", "sslclient", `${file}.pem`);
    }
    openssl("verify", "-CAfile", "etcd-ca.pem", "-purpose", "sslclient", "apiserver-etcd-client.pem");
    openssl("verify", "-CAfile", "etcd-ca.pem", "-verify_ip", "10.0.0.2", "etcd-server.pem");
    openssl("verify", "-CAfile", "ca.pem", "-verify_ip", "10.0.0.100", "apiserver.pem");
    expect(openssl("rsa", "-in", "apiserver-key.pem", "-text", "-noout")).toContain("2048 bit");
    expect(readFileSync(join(assets, "admin.kubeconfig"), "utf8")).toContain("server: https://10.0.0.100:6443");
    expect(run("check", "--cert-dir", assets).stdout).toMatch(/^w1.example.com-node +\S+Z +36[45]d +ca$/m);
    expect(run("renew", "etcd-peer", "--cert-dir", assets).stdout).toBe("Renewed etcd-peer.\n");
  });
});
