import { X509Certificate } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { certificateStatuses } from "./certificate-status.ts";
import { createAssets } from "./create-assets.ts";
import { heldCertificates, renewKubeconfigs } from "./held-certificates.ts";
import { algorithmOf, type KeyAlgorithm } from "./key-pair.ts";
import { machinesOf } from "./machine-assets.ts";
import { addAuthority, renewLeaves, switchAuthority } from "./rotation.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

const W1 = "w1.example.com=10.0.1.1";

let root: string;
let dir: string;
let written: readonly string[];
// Made once: the key of service accounts takes its time.
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "kybern-assets-"));
  dir = join(root, "made");
  written = await create([W1]);
});
beforeEach(() => {
  dir = mkdtempSync(join(root, "copy-"));
  cpSync(join(root, "made"), dir, { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function create(workers: readonly string[], algorithm: KeyAlgorithm = "ECDSA-P256", masters = ["m1=10.0.0.1", "m2=10.0.0.2"]) {
  const machines = {
    masters: machinesOf("--master", masters),
    workers: machinesOf("--worker", workers),
    hosts: ["lb.example.com", "10.0.0.100"],
    serviceIp: "10.96.0.1",
    clusterDomain: "cluster.local",
  };
  const newToken = (): string => "00112233445566778899aabbccddeeff";
  return createAssets({ dir, machines, server: "https://lb.example.com:6443", algorithm, now: NOW, newToken });
}

const certificate = (file: string): X509Certificate => new X509Certificate(readFileSync(join(dir, `${file}.pem`)));
const subject = (file: string): string => certificate(file).subject.split("\n").sort().join(" ");

describe("the assets of several machines", () => {
  test("have the names of guides' files, for their owner only", () => {
    const guides = ["ca", "apiserver", "kubernetes", "kube-proxy", "admin", "w1.example.com-worker"];
    for (const name of guides) expect(written).toEqual(expect.arrayContaining([`${name}.pem`, `${name}-key.pem`]));
    expect(written).toEqual(
      expect.arrayContaining(["token.csv", "service-account-key.pem", "etcd-ca.pem", "front-proxy-ca.pem"]),
    );
    expect([...written].sort()).toEqual(readdirSync(dir).sort());
    for (const name of written) expect(statSync(join(dir, name)).mode & 0o777, name).toBe(0o600);
    expect(readFileSync(join(dir, "token.csv"), "utf8")).toBe(
      '00112233445566778899aabbccddeeff,kubelet-bootstrap,10001,"system:bootstrappers"\n',
    );
  });

  test.each(["apiserver", "kubernetes"])(
    "%s answers to the names of the Service, of each master, and of the balancer",
    async (file) => {
      await create([]);
      const names = [
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "m1",
        "m2",
      ];
      for (const name of [...names, "lb.example.com"]) expect(certificate(file).checkHost(name), name).toBe(name);
      for (const ip of ["10.96.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.100", "127.0.0.1"])
        expect(certificate(file).checkIP(ip), ip).toBe(ip);
    },
  );

  test.each([
    ["admin", "CN=kubernetes-admin O=system:masters", "ca"],
    ["kube-proxy", "CN=system:kube-proxy O=system:node-proxier", "ca"],
    ["w1.example.com-worker", "CN=w1.example.com", "ca"],
    ["w1.example.com-node", "CN=system:node:w1.example.com O=system:nodes", "ca"],
    ["m1-node", "CN=system:node:m1 O=system:nodes", "ca"],
    ["front-proxy-client", "CN=front-proxy-client", "front-proxy-ca"],
    ["apiserver-etcd-client", "CN=kube-apiserver-etcd-client", "etcd-ca"],
    ["etcd-peer", "CN=kube-etcd-peer", "etcd-ca"],
  ])("%s is %s, signed by %s", (file, holder, authority) => {
    expect(subject(file)).toBe(holder);
    expect(certificate(file).verify(certificate(authority).publicKey)).toBe(true);
  });

  test.each(["ECDSA-P256", "ECDSA-P384"] as const)("have keys of %s, and renewed ones too", async (algorithm) => {
    for (const name of readdirSync(dir)) if (!name.startsWith("service-account")) rmSync(join(dir, name));
    await create([], algorithm);
    await renewLeaves(dir, ["admin"], NOW);
    for (const name of ["ca", "apiserver", "admin"]) {
      expect(algorithmOf(readFileSync(join(dir, `${name}-key.pem`), "utf8")), name).toBe(algorithm);
      if (name !== "ca") expect(certificate(name).verify(certificate("ca").publicKey)).toBe(true);
    }
  });

  test("are kept when machines are added, but for those that name them", async () => {
    expect(await create([W1])).toEqual([]);
    expect([...(await create([W1, "w2=10.0.1.2"]))].sort()).toEqual(
      ["w2-node-key.pem", "w2-node.pem", "w2-worker-key.pem", "w2-worker.pem", "w2.kubeconfig"].sort(),
    );
    const third = await create([], "ECDSA-P256", ["m1=10.0.0.1", "m2=10.0.0.2", "m3=10.0.0.3"]);
    expect(third.filter((file) => !file.startsWith("m3") && !file.endsWith("-key.pem")).sort()).toEqual(
      ["apiserver.pem", "etcd-peer.pem", "etcd-server.pem", "kubernetes.pem"].sort(),
    );
  });

  test("a renewed certificate is in the kubeconfig that held the old one, for the same holder and names", async () => {
    const held = await heldCertificates(dir, dir);
    expect(held.map(({ kubeconfig }) => kubeconfig)).toContain("w1.example.com.kubeconfig");
    const before = { subject: subject("w1.example.com-worker"), names: certificate("w1.example.com-worker").subjectAltName };
    await renewLeaves(dir, ["w1.example.com-node", "w1.example.com-worker"], NOW + 1000);
    await renewKubeconfigs(dir, dir, held);
    expect({ subject: subject("w1.example.com-worker"), names: certificate("w1.example.com-worker").subjectAltName }).toEqual(
      before,
    );
    const text = Buffer.from(readFileSync(join(dir, "w1.example.com-node.pem"))).toString("base64");
    expect(readFileSync(join(dir, "w1.example.com.kubeconfig"), "utf8")).toContain(text);
  });

  test("another authority of etcd signs all that the first signed", async () => {
    await addAuthority(dir, "etcd-ca", NOW);
    await switchAuthority(dir, "etcd-ca", NOW);
    const statuses = await certificateStatuses(dir);
    const ofEtcd = statuses.filter(({ authority }) => authority === "etcd-ca").map(({ file }) => file);
    expect(ofEtcd.sort()).toEqual(["apiserver-etcd-client", "etcd-ca", "etcd-peer", "etcd-server"]);
    for (const file of ["etcd-peer", "etcd-server"])
      expect(certificate(file).verify(certificate("etcd-ca").publicKey)).toBe(true);
  });

  test.each(["m1", "m1=", "m1=host", "M1=10.0.0.1", "../x=10.0.0.1", "m1=10.0.0.1=2"])("a machine is not %s", (text) => {
    expect(() => machinesOf("--master", [text])).toThrow(`--master takes NAME=ADDRESS, such as master-1=10.0.0.1, not "${text}"`);
  });
});
