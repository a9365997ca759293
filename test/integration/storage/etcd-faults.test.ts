import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { createAuthority, issueCertificate, type LeafRequest } from "#pki/certificate.ts";
import { EtcdStore, type EtcdStoreOptions } from "#storage/etcd/etcd-store.ts";
import { type KVStore, VALUE_BYTES_MAX } from "#storage/kv.ts";
import { ETCD_REASON, Etcd, hasEtcd } from "../../support/etcd.ts";

function open(etcd: Etcd, options: Partial<EtcdStoreOptions> = {}): EtcdStore {
  return new EtcdStore({ urls: etcd.urls, tls: {}, clock: realClock, random: systemRandom, ...options });
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const numberIn = (value: Uint8Array | undefined): number => Number(value === undefined ? "0" : new TextDecoder().decode(value));

/** Adds one to a number, by compare-and-swap, until it is done. Throws what a write fails with. */
async function increment(store: KVStore, key: string): Promise<number> {
  for (;;) {
    const { kv } = await store.get(key);
    const value = bytes(String(numberIn(kv?.value) + 1));
    const result = await store.txn({ key, expectedModRevision: kv?.modRevision ?? 0, put: { value } });
    if (result.succeeded) return result.revision;
  }
}

/** Every revision that a watch has shown, in order. */
function follow(store: KVStore, prefix: string): { readonly revisions: number[]; readonly errors: Error[] } {
  const seen = { revisions: [] as number[], errors: [] as Error[] };
  store.watch(prefix, {
    startRevision: 2,
    signal: new AbortController().signal,
    onEvents: (events) => void seen.revisions.push(...events.map(({ revision }) => revision)),
    onError: (error) => void seen.errors.push(error),
  });
  return seen;
}

describe.skipIf(!hasEtcd)(`etcd and what can happen to it (${ETCD_REASON})`, () => {
  test("of several stores on one etcd no write is lost, and each sees the others'", async () => {
    await using etcd = await Etcd.start();
    await using a = open(etcd);
    await using b = open(etcd);
    const [seenByA, seenByB] = [follow(a, "/n/"), follow(b, "/n/")];
    const writers = [a, b].flatMap((store) =>
      Array.from({ length: 8 }, async () => {
        for (let i = 0; i < 10; i++) await increment(store, `/n/${i % 2}`);
      }),
    );
    await Promise.all(writers);
    const { kvs } = await a.list("/n/");
    expect(kvs.map(({ value }) => numberIn(value))).toEqual([80, 80]);
    // A write that concerns neither watch: both must come to know that nothing of theirs has happened.
    await b.txn({ key: "/elsewhere", expectedModRevision: 0, put: { value: bytes("x") } });
    const all = Array.from({ length: 160 }, (_, i) => 2 + i);
    await expect.poll(() => [seenByA.revisions, seenByB.revisions]).toEqual([all, all]);
  });

  test.each([
    { name: "the death", signal: "SIGKILL" as const },
    { name: "the freezing", signal: "SIGSTOP" as const },
  ])("$name of a member loses no acknowledged write, and watches go on", async ({ signal }) => {
    await using etcd = await Etcd.start({ members: 3 });
    await using store = open(etcd);
    await expect
      .poll(
        () =>
          store.checkHealth().then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true);
    const seen = follow(store, "/n/");
    let stop = false;
    let failures = 0;
    const acknowledged: number[] = [];
    const writers = Array.from({ length: 4 }, async (_, i) => {
      while (!stop) {
        await increment(store, `/n/${i}`).then(
          (revision) => acknowledged.push(revision),
          () => failures++,
        );
      }
    });
    for (const member of etcd.members.slice(0, 3)) {
      const before = acknowledged.length;
      await expect.poll(() => acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(before + 50);
      member.child.kill(signal);
      const after = acknowledged.length;
      await expect.poll(() => acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(after + 50);
      // Two of three are needed; a dead member does not come back here.
      if (signal === "SIGKILL") break;
      member.child.kill("SIGCONT");
    }
    stop = true;
    await Promise.all(writers);
    const { kvs, revision } = await store.list("/n/");
    const total = kvs.reduce((sum, { value }) => sum + numberIn(value), 0);
    // What was not acknowledged may have been written all the same, and nothing else.
    expect(total).toBeGreaterThanOrEqual(acknowledged.length);
    expect(total).toBeLessThanOrEqual(acknowledged.length + failures);
    await expect.poll(() => seen.revisions.length).toBe(total);
    expect(seen.revisions).toEqual(Array.from({ length: total }, (_, i) => revision - total + 1 + i));
    expect(new Set(seen.revisions)).toEqual(new Set([...seen.revisions, ...acknowledged]));
    expect(seen.errors).toEqual([]);
  });

  test("without a quorum calls fail in time, and all goes on when it is back", async () => {
    await using etcd = await Etcd.start({ members: 3 });
    await using store = open(etcd);
    await expect
      .poll(
        () =>
          store.checkHealth().then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true);
    const seen = follow(store, "/n/");
    const first = await increment(store, "/n/a");
    for (const { child } of etcd.members.slice(0, 2)) child.kill("SIGSTOP");
    const began = performance.now();
    const outcomes = await Promise.allSettled([store.get("/n/a"), increment(store, "/n/b"), store.currentRevision()]);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    for (const { child } of etcd.members.slice(0, 2)) child.kill("SIGCONT");
    await expect.poll(() => increment(store, "/n/a").catch(() => 0), { timeout: 30_000 }).toBeGreaterThan(first);
    await expect.poll(() => seen.revisions.at(-1)).toBe(await store.currentRevision());
  });

  test("TLS takes who has the client's certificate, and nobody else", async () => {
    const dir = mkdtempSync(join(tmpdir(), "kybern-etcd-tls-"));
    const authority = createAuthority("etcd-ca", Date.now());
    const write = (name: string, text: string): string => {
      writeFileSync(join(dir, name), text);
      return join(dir, name);
    };
    const pair = (name: string, request: LeafRequest): { certFile: string; keyFile: string } => {
      const { cert, key } = issueCertificate(authority, request, Date.now());
      return { certFile: write(`${name}.crt`, cert), keyFile: write(`${name}.key`, key) };
    };
    const caFile = write("ca.crt", authority.cert);
    const server = pair("server", { commonName: "etcd", usages: ["server", "client"], hosts: ["127.0.0.1"] });
    const client = pair("client", { commonName: "kube-apiserver-etcd-client", usages: ["client"] });
    const args = [
      "--client-cert-auth",
      "--trusted-ca-file",
      caFile,
      "--cert-file",
      server.certFile,
      "--key-file",
      server.keyFile,
    ];
    try {
      await using etcd = await Etcd.start({ scheme: "https", args });
      await using known = open(etcd, { tls: { caFile, ...client } });
      await known.currentRevision();
      const seen = follow(known, "/n/");
      expect(await increment(known, "/n/a")).toBe(2);
      expect(seen.revisions).toEqual([2]);
      await using unknown = open(etcd, { tls: { caFile } });
      await expect(unknown.checkHealth()).rejects.toMatchObject({ code: "Unavailable" });
      await using trusting = open(etcd, { tls: client });
      await expect(trusting.checkHealth()).rejects.toMatchObject({ code: "Unavailable" });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  test("a full etcd is told apart; reads and deletions go on", async () => {
    await using etcd = await Etcd.start({ args: ["--quota-backend-bytes", String(16 * 1024 * 1024)] });
    await using store = open(etcd);
    const fill = async (): Promise<never> => {
      for (let i = 0; ; i++)
        await store.txn({ key: `/big/${i}`, expectedModRevision: 0, put: { value: new Uint8Array(1_000_000) } });
    };
    await expect(fill()).rejects.toMatchObject({ code: "NoSpace" });
    const { kv } = await store.get("/big/0");
    expect(await store.txn({ key: "/big/0", expectedModRevision: kv?.modRevision ?? 0 })).toMatchObject({ succeeded: true });
  });

  test("a value that is too large for this etcd is told apart", async () => {
    await using etcd = await Etcd.start({ args: ["--max-request-bytes", "100000"] });
    await using store = open(etcd);
    for (const size of [200_000, VALUE_BYTES_MAX]) {
      const request = { key: "/a", expectedModRevision: 0, put: { value: new Uint8Array(size) } };
      await expect(store.txn(request)).rejects.toMatchObject({ code: "TooLarge" });
    }
    expect(await increment(store, "/n/a")).toBe(2);
  });

  test("a long list is read in pages of one revision", async () => {
    await using etcd = await Etcd.start();
    await using store = open(etcd);
    const keys = Array.from({ length: 2_500 }, (_, i) => `/p/${String(i).padStart(5, "0")}`);
    await Promise.all(keys.map((key) => store.txn({ key, expectedModRevision: 0, put: { value: bytes("x") } })));
    const listing = store.list("/p/");
    await store.txn({ key: "/p/99999", expectedModRevision: 0, put: { value: bytes("later") } });
    const { kvs, remaining, revision } = await listing;
    const extra = revision > keys.length + 1 ? ["/p/99999"] : [];
    expect(kvs.map(({ key }) => key)).toEqual([...keys, ...extra]);
    expect(remaining).toBe(0);
  });

  test("where nobody listens the failure comes in time", async () => {
    await using store = new EtcdStore({ urls: ["http://127.0.0.1:1"], tls: {}, clock: realClock, random: systemRandom });
    const began = performance.now();
    await expect(store.checkHealth()).rejects.toMatchObject({ code: "Unavailable" });
    expect(performance.now() - began).toBeLessThan(5_000);
    await expect(store.currentRevision()).rejects.toMatchObject({
      code: "Unavailable",
      message: expect.stringContaining("127.0.0.1:1"),
    });
    expect(performance.now() - began).toBeLessThan(15_000);
  });
});
