import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import { realHostFiles } from "#base/host-files.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { FakeClient } from "#client/fake-client.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import type { CertificatePair } from "#pki/key-pair.ts";
import { generateKey } from "#pki/key-pair.ts";
import { digestedName, isKubeconfigValid, writeKubeconfig } from "./bootstrap.ts";
import { CertificateStore, pairOf } from "./certificate-store.ts";
import { CLIENT_SIGNER, requestCertificate } from "./request-certificate.ts";
import { servingSubject } from "./serving-subject.ts";

const CSRS: ResourceId = { group: "certificates.k8s.io", version: "v1", resource: "certificatesigningrequests" };
const START_MS: number = Date.UTC(2030, 0, 1, 12, 30, 5);
const HOUR_MS = 3_600_000;
const authority = createAuthority("ca", START_MS);
const issue = (commonName: string, lifetimeMs = HOUR_MS): CertificatePair =>
  issueCertificate(authority, { commonName, usages: ["client"], lifetimeMs }, START_MS);

let dir: string;
let clock: ManualClock;
let store: CertificateStore;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kybern-certificates-"));
  clock = new ManualClock(START_MS);
  store = new CertificateStore({ files: realHostFiles, clock, dir, name: "kubelet-client" });
});
afterEach(() => rmSync(dir, { recursive: true }));

test("the newest pair is behind a link, in a file for its owner alone; older ones stay for a while", async () => {
  expect(await store.current()).toBeUndefined();
  const first = issue("a");
  await store.update(first);
  expect(readlinkSync(store.currentPath)).toBe(join(dir, "kubelet-client-2030-01-01-12-30-05.pem"));
  expect(statSync(store.currentPath).mode & 0o777).toBe(0o600);
  expect(await store.current()).toEqual({ cert: first.cert, key: first.key });
  for (let i = 0; i < 7; i++) {
    clock.advance(1000);
    await store.update(issue(`b${i}`));
  }
  expect(readdirSync(dir).filter((name) => /-\d\d\.pem$/.test(name))).toHaveLength(5);
  expect(pairOf(readFileSync(store.currentPath, "utf8"))).toEqual(await store.current());
  await expect(store.update({ cert: "x", key: "y" })).rejects.toThrow("invalid certificate data");
});

test("a link that was made but not put in place before the machine went down is put there", async () => {
  const pair = issue("a");
  await store.update(pair);
  symlinkSync(readlinkSync(store.currentPath), join(dir, "kubelet-client-updated.pem"));
  unlinkSync(store.currentPath);
  expect((await store.current())?.key).toBe(pair.key);
  expect(readdirSync(dir)).not.toContain("kubelet-client-updated.pem");
});

test("a pair of separate files counts where there is no other", async () => {
  const pair = issue("a");
  writeFileSync(join(dir, "kubelet-client.crt"), pair.cert);
  writeFileSync(join(dir, "kubelet-client.key"), pair.key);
  expect((await store.current())?.key).toBe(pair.key);
});

test("a kubeconfig counts while its certificate does", async () => {
  const path = join(dir, "kubeconfig");
  const address = { server: "https://a:6443", ca: authority.cert };
  expect(await isKubeconfigValid(path, realHostFiles, START_MS)).toBe(false);
  await writeKubeconfig({ kubeconfigPath: path, address, store, files: realHostFiles });
  expect(await isKubeconfigValid(path, realHostFiles, START_MS)).toBe(false);
  await store.update(issue("a"));
  expect(await isKubeconfigValid(path, realHostFiles, START_MS)).toBe(true);
  expect(await isKubeconfigValid(path, realHostFiles, START_MS + 2 * HOUR_MS)).toBe(false);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("the same key, node and usages ask under the same name", () => {
  const key = generateKey();
  const subject = { commonName: "system:node:a", organizations: ["system:nodes"] };
  const name = digestedName(key, subject, ["client auth"]);
  expect(name).toMatch(/^node-csr-[\w-]{43}$/);
  expect(digestedName(key, subject, ["client auth"])).toBe(name);
  expect(digestedName(generateKey(), subject, ["client auth"])).not.toBe(name);
  expect(digestedName(key, subject, ["server auth"])).not.toBe(name);
});

test("a serving certificate is for the node's names and addresses, each once", () => {
  const node = { commonName: "system:node:n", organizations: ["system:nodes"] };
  expect(servingSubject(node, [])).toBeUndefined();
  const addresses = [
    { type: "InternalIP", address: "10.0.0.2" },
    { type: "Hostname", address: "10.0.0.2" },
    { type: "InternalDNS", address: "n.internal" },
    { type: "Hostname", address: "n" },
  ];
  expect(servingSubject(node, addresses)).toEqual({ ...node, hosts: ["n", "n.internal", "10.0.0.2"] });
});

const client = (): FakeClient =>
  new FakeClient({
    resources: [{ id: CSRS, kind: "CertificateSigningRequest", namespaced: false }],
    clock,
    random: seededRandom(1),
  });
const wish = (name?: string): Parameters<typeof requestCertificate>[1] => ({
  key: generateKey(),
  subject: { commonName: "system:node:a" },
  signerName: CLIENT_SIGNER,
  usages: ["client auth"],
  ...(name === undefined ? {} : { name }),
});
const answer = async (api: FakeClient, status: object): Promise<void> => {
  const [csr] = (await api.list<CertificateSigningRequest>(CSRS, "")).items;
  if (csr === undefined) throw new Error("nothing was asked for");
  const answered = { ...csr, status } as CertificateSigningRequest;
  await api.update(CSRS, "", csr.metadata.name ?? "", answered, { subresource: "status" });
};
const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

test("what was issued after approval is what one gets; a second try finds the first request", async () => {
  const api = client();
  const { signal } = new AbortController();
  const waiting = [requestCertificate(api, wish("one"), signal), requestCertificate(api, wish("one"), signal)];
  await settled();
  await answer(api, { certificate: Buffer.from("early").toString("base64") });
  await settled();
  await answer(api, {
    conditions: [{ type: "Approved", status: "True" }],
    certificate: Buffer.from("a certificate").toString("base64"),
  });
  expect(await Promise.all(waiting)).toEqual(["a certificate", "a certificate"]);
  expect(api.writes.filter(({ verb }) => verb === "create")).toHaveLength(1);
});

test.each([
  ["Denied", "certificate signing request is denied, reason: No, message: never"],
  ["Failed", "certificate signing request failed, reason: No, message: never"],
])("a request that is %s ends the wait", async (type, message) => {
  const api = client();
  const waiting = requestCertificate(api, wish(), new AbortController().signal);
  const outcome = expect(waiting).rejects.toThrow(message);
  await settled();
  await answer(api, { conditions: [{ type, status: "True", reason: "No", message: "never" }] });
  await outcome;
});

test("who stops waits no longer", async () => {
  const stop = new AbortController();
  const waiting = requestCertificate(client(), wish(), stop.signal);
  const outcome = expect(waiting).rejects.toThrow("enough");
  await settled();
  stop.abort(new Error("enough"));
  await outcome;
});
