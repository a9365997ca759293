import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConfigMap } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { parseKubeconfig } from "#client/kubeconfig.ts";
import { createRestClient, type RestClient } from "#client/rest-client.ts";
import { type CopyOptions, type CopyResult, copyStore } from "#storage/copy/copy-store.ts";
import { EtcdStore } from "#storage/etcd/etcd-store.ts";
import type { KVStore } from "#storage/kv.ts";
import { openLmdbStore } from "#storage/lmdb/open-lmdb-store.ts";
import { RebasedStore } from "#storage/rebased-store.ts";
import { ETCD_REASON, Etcd, hasEtcd } from "../support/etcd.ts";
import { eventually } from "../support/kubectl.ts";
import { isBuilt, Program } from "../support/program.ts";

const configMaps = { group: "", version: "v1", resource: "configmaps" };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** How far a copy is, which one that takes longer tells. */
const PROGRESS = expect.stringMatching(/^([a-z ]+: \d+ of \d+\n)*$/);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kybern-migrate-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function put(store: KVStore, key: string, value: string, lease = 0): Promise<number> {
  const { kv } = await store.get(key);
  const result = await store.txn({ key, expectedModRevision: kv?.modRevision ?? 0, put: { value: bytes(value), lease } });
  return result.revision;
}

async function contents(store: KVStore): Promise<Record<string, string>> {
  const { kvs } = await store.list("/registry/");
  return Object.fromEntries(kvs.map(({ key, value }) => [key, new TextDecoder().decode(value)]));
}

function copy(source: KVStore, target: KVStore, options: Partial<CopyOptions> = {}): Promise<CopyResult> {
  const modules = { source, target, markerKey: "kybern-copy/registry/", onProgress: () => undefined };
  return copyStore({ ...modules, cluster: "one", overwrite: false, raise: true, renamed: false, ...options });
}

describe.skipIf(!hasEtcd)(`copies between lmdb and etcd (${ETCD_REASON})`, () => {
  let etcd: Etcd;
  beforeEach(async () => {
    etcd = await Etcd.start();
  });
  afterEach(() => etcd[Symbol.asyncDispose]());

  const onEtcd = (prefix = "/registry/"): KVStore => {
    const store = new EtcdStore({ urls: etcd.urls, tls: {}, clock: realClock, random: systemRandom });
    return prefix === "/registry/" ? store : new RebasedStore(store, { outer: "/registry/", inner: prefix });
  };
  const onLmdb = (name: string): Promise<KVStore> => openLmdbStore({ dir: join(dir, name), clock: realClock });
  const places: readonly { readonly name: string; readonly open: () => Promise<readonly [KVStore, KVStore]> }[] = [
    { name: "lmdb to etcd", open: async () => [await onLmdb("a"), onEtcd()] },
    { name: "etcd to lmdb", open: async () => [onEtcd(), await onLmdb("a")] },
    { name: "etcd to etcd", open: async () => [onEtcd(), onEtcd("/clusters/two/")] },
  ];

  test.each(places)("$name: every key, in order, with its time to live, and no old revision means anything", async ({ open }) => {
    const [source, target] = await open();
    await using _source = source;
    await using _target = target;
    const lease = await source.grantLease(3600);
    await put(source, "/registry/configmaps/default/z", "first");
    await put(source, "/registry/configmaps/default/a", "second");
    for (let i = 0; i < 300; i++) await put(source, "/registry/configmaps/default/often", `${i}`);
    await put(source, "/registry/events/default/e", "ends", lease);
    await put(source, "/registry/masterleases/10.0.0.1", "not copied");
    await put(source, "/registry/secrets/default/s", "k8s:enc:aescbc:v1:k:\0\u00ff");
    const before = await source.currentRevision();
    const result = await copy(source, target);
    const { "/registry/masterleases/10.0.0.1": _left, ...copied } = await contents(source);
    expect(await contents(target)).toEqual(copied);
    expect(result).toMatchObject({ written: 5, deleted: 0, verified: 5, changedSince: 0 });
    expect(result.leftOut).toMatchObject([{ prefix: "/registry/masterleases/", keys: 1 }]);
    const { kvs } = await target.list("/registry/");
    for (const { modRevision } of kvs) expect(modRevision).toBeGreaterThan(before);
    const order = kvs.filter(({ key }) => key.includes("configmaps")).sort((a, b) => a.modRevision - b.modRevision);
    expect(order.map(({ key }) => key.split("/").at(-1))).toEqual(["z", "a", "often"]);
    const leases = (await target.leases?.())?.filter(({ keys }) => keys.includes("/registry/events/default/e"));
    expect(leases?.at(-1)?.remainingSeconds).toBeGreaterThan(3500);
    // Who watches from what the source told reads anew.
    const gone = new Promise((resolve) =>
      target.watch("/registry/", {
        startRevision: before + 1,
        signal: new AbortController().signal,
        onEvents: () => resolve("events"),
        onError: ({ code }) => resolve(code),
      }),
    );
    expect(await gone).toBe("Compacted");
  });

  test("a copy can be repeated: it brings over what has changed, and nothing else", async () => {
    await using source = await onLmdb("a");
    await using target = onEtcd();
    for (let i = 0; i < 20; i++) await put(source, `/registry/configmaps/default/${i}`, `${i}`);
    await copy(source, target);
    const kept = (await target.get("/registry/configmaps/default/3")).kv?.modRevision;
    await put(source, "/registry/configmaps/default/7", "new");
    const { kv } = await source.get("/registry/configmaps/default/8");
    await source.txn({ key: "/registry/configmaps/default/8", expectedModRevision: kv?.modRevision ?? 0 });
    expect(await copy(source, target)).toMatchObject({ written: 1, deleted: 1, verified: 19 });
    expect(await contents(target)).toEqual(await contents(source));
    expect((await target.get("/registry/configmaps/default/3")).kv?.modRevision).toBe(kept);
  });

  test("what a copy would destroy is refused", async () => {
    await using source = await onLmdb("a");
    await using target = onEtcd();
    await put(source, "/registry/configmaps/default/a", "a");
    await put(target, "/registry/configmaps/default/b", "b");
    await expect(copy(source, target)).rejects.toThrow(/holds a cluster's data already \(1 keys\).*--overwrite/);
    await copy(source, target, { overwrite: true });
    expect(await contents(target)).toEqual({ "/registry/configmaps/default/a": "a" });
    await expect(copy(source, target, { cluster: "two" })).rejects.toThrow("holds a copy of another cluster (one)");
    await put(target, "/registry/configmaps/default/c", "c");
    await expect(copy(source, target)).rejects.toThrow(/written to since .* \(\/registry\/configmaps\/default\/c\)/);
    await put(source, "/registry/secrets/default/s", "k8s:enc:kms:v2:k:x");
    await expect(copy(source, target, { overwrite: true, renamed: true })).rejects.toThrow(/encrypted for that key/);
  });

  test("a source that is written to meanwhile is noticed", async () => {
    await using source = onEtcd();
    await using target = await onLmdb("a");
    await put(source, "/registry/configmaps/default/a", "a");
    let changed = false;
    const onProgress = (): void => {
      if (changed) return;
      changed = true;
      etcd.ctl("put", "/registry/configmaps/default/b", "b");
    };
    expect(await copy(source, target, { onProgress })).toMatchObject({ written: 1, changedSince: 1 });
    expect(await copy(source, target)).toMatchObject({ written: 1, changedSince: 0 });
  });

  test("leases whose ids no number holds are copied too", async () => {
    await using source = onEtcd();
    await using target = await onLmdb("a");
    // etcd makes such ids itself.
    const id = /lease (\w+) granted/.exec(etcd.ctl("lease", "grant", "500"))?.[1] ?? "";
    expect(BigInt(`0x${id}`)).toBeGreaterThan(BigInt(Number.MAX_SAFE_INTEGER));
    etcd.ctl("put", "--lease", id, "/registry/events/default/e", "e");
    await copy(source, target);
    const [lease] = (await target.leases?.()) ?? [];
    expect(lease?.keys).toEqual(["/registry/events/default/e"]);
    expect(lease?.remainingSeconds).toBeGreaterThan(450);
  });

  test.skipIf(!isBuilt)("kybern migrate moves a cluster to etcd and back, and clients go on", { timeout: 60_000 }, async () => {
    const up = async (name: string, ...flags: string[]): Promise<Program> => {
      const args = ["up", "--data-dir", join(dir, name), "--secure-port", "0", "--nodes", "0", ...flags];
      const program = new Program(args, { embedded: true });
      await eventually(() => program.stdout.includes("is up"), 20_000, `the banner of ${name}: ${program.stderr}`);
      return program;
    };
    const stop = async (program: Program): Promise<void> => {
      program.kill("SIGTERM");
      expect(await program.exited).toBe(0);
    };
    const connect = (name: string): RestClient => {
      const text = readFileSync(join(dir, name, "admin.kubeconfig"), "utf8");
      return createRestClient({ ...parseKubeconfig(text, () => ""), userAgent: "test", clock: realClock });
    };
    const migrate = async (...args: string[]): Promise<Program & { readonly code: number | null }> => {
      const program = new Program(["migrate", ...args]);
      return Object.assign(program, { code: await program.exited });
    };
    const [a, b] = [join(dir, "a"), join(dir, "b")];
    await using first = await up("a");
    const before = connect("a");
    const made = await before.create<ConfigMap>(configMaps, "default", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "kept" },
      data: { a: "b" },
    });
    const { resourceVersion: old = "" } = (await before.list(configMaps, "default")).metadata;
    const running = await migrate("--from", a, "--to", etcd.urls.join());
    expect([running.code, running.stderr]).toEqual([1, expect.stringContaining("If a kybern runs on it, stop that one.")]);
    await before.close();
    await stop(first);
    const moved = await migrate("--from", a, "--to", etcd.urls.join());
    const verified = expect.stringMatching(/verified {2}\d+, each value/);
    expect([moved.code, moved.stdout, moved.stderr]).toEqual([0, verified, PROGRESS]);
    cpSync(join(a, "pki"), join(b, "pki"), { recursive: true });
    await using second = await up("b", "--etcd-servers", etcd.urls.join());
    const client = connect("b");
    const kept = await client.get<ConfigMap>(configMaps, "default", "kept");
    expect([kept.metadata.uid, kept.data]).toEqual([made.metadata.uid, { a: "b" }]);
    expect(Number(kept.metadata.resourceVersion)).toBeGreaterThan(Number(old));
    const options = { resourceVersion: old, signal: AbortSignal.timeout(10_000) };
    const { value: told } = await client.watch(configMaps, "default", options)[Symbol.asyncIterator]().next();
    expect(told).toMatchObject([{ type: "ERROR", object: { code: 410, reason: "Expired" } }]);
    await client.create(configMaps, "default", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "later" } });
    await client.close();
    const refused = await migrate("--from", a, "--to", etcd.urls.join());
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("has been written to since the copy")]);
    await stop(second);
    const back = await migrate("--from", etcd.urls.join(), "--to", a, "--overwrite");
    expect([back.code, back.stderr]).toEqual([0, PROGRESS]);
    await using third = await up("a");
    const again = connect("a");
    const names = (await again.list(configMaps, "default")).items.map(({ metadata }) => metadata.name);
    expect(names).toEqual(expect.arrayContaining(["kept", "later"]));
    await again.close();
    await stop(third);
  });

  test.skipIf(!isBuilt)("wrong command lines of kybern migrate are explained", async () => {
    for (const [args, code, text] of [
      [["--from", "a"], 2, "flag --to is needed"],
      [["--from", "http://h:1", "--to", "http://h:1/x"], 2, "name the same place"],
      [["--from", dir, "--to", etcd.urls.join()], 1, "is not the data directory of a cluster"],
      [["--from", etcd.urls.join(), "--to", dir], 1, "holds no cluster"],
    ] as const) {
      await using program = new Program(["migrate", ...args]);
      expect([await program.exited, program.stderr]).toEqual([code, expect.stringContaining(text)]);
    }
  });
});
