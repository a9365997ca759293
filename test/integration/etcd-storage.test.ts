import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConfigMap } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { StorageSettings } from "#apiserver/registry/store/storage-settings.ts";
import { realClock } from "#base/clock.ts";
import { GrpcChannel } from "#base/grpc/grpc-channel.ts";
import { frameOf } from "#base/grpc/message-writer.ts";
import { systemRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { parseKubeconfig } from "#client/kubeconfig.ts";
import { createRestClient } from "#client/rest-client.ts";
import { startKubeApiServer } from "#kube-apiserver/server.ts";
import { ensureClusterAssets } from "#pki/cluster-assets.ts";
import { EtcdStore } from "#storage/etcd/etcd-store.ts";
import type { KVStore } from "#storage/kv.ts";
import { RebasedStore } from "#storage/rebased-store.ts";
import { ETCD_REASON, Etcd, hasEtcd } from "../support/etcd.ts";
import { eventually } from "../support/kubectl.ts";
import { isBuilt, Program } from "../support/program.ts";

const configMaps = { group: "", version: "v1", resource: "configmaps" };
const events = { group: "", version: "v1", resource: "events" };

const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});
const event = (name: string): ApiObject => ({
  apiVersion: "v1",
  kind: "Event",
  metadata: { name, namespace: "default" },
  involvedObject: { kind: "Pod", namespace: "default", name: "p" },
  reason: "Tested",
  message: name,
  type: "Normal",
});
const open = (etcd: Etcd): KVStore => new EtcdStore({ urls: etcd.urls, tls: {}, clock: realClock, random: systemRandom });

describe.skipIf(!hasEtcd)(`how objects lie in etcd (${ETCD_REASON})`, () => {
  let closing: (() => Promise<unknown>)[];
  beforeEach(() => {
    closing = [];
  });
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
  });

  const etcd = async (...args: string[]): Promise<Etcd> => {
    const started = await Etcd.start({ args });
    closing.push(() => started[Symbol.asyncDispose]());
    return started;
  };
  const storeOn = (where: Etcd): KVStore => {
    const store = open(where);
    closing.push(() => store.close());
    return store;
  };
  const serve = async (kv: KVStore, storage: StorageSettings = {}): Promise<Client> => {
    const serviceClusterIpRange = "10.96.0.0/12";
    const assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange });
    const options = { kv, clock: realClock, random: systemRandom, assets, bindAddress: "127.0.0.1", port: 0 };
    const server = await startKubeApiServer({ ...options, serviceClusterIpRange, storage });
    closing.push(() => server.stop());
    await server.ready;
    return server.inProcessClient({ name: "admin", uid: "", groups: ["system:masters"], extra: {} });
  };

  test("resources that are kept in another etcd have its revisions, and everything else works as before", async () => {
    const [one, two] = [await etcd(), await etcd()];
    const kv = storeOn(two);
    // The other one is far ahead.
    for (let i = 0; i < 300; i++)
      await kv.txn({ key: `/elsewhere/${i}`, expectedModRevision: 0, put: { value: Buffer.from("x") } });
    const client = await serve(storeOn(one), { overrides: [{ group: "", resource: "events", kv }] });
    const watching = new AbortController();
    const seen: string[] = [];
    const { metadata } = await client.list(events, "default");
    expect(Number(metadata.resourceVersion)).toBeGreaterThan(300);
    const watched = (async () => {
      const options = { resourceVersion: metadata.resourceVersion ?? "", signal: watching.signal };
      for await (const batch of client.watch(events, "default", options)) {
        seen.push(...batch.map(({ type, object }) => `${type} ${object.metadata.name}`));
        if (seen.length === 2) return;
      }
    })();
    const made = await client.create(events, "default", event("a"));
    await client.create(configMaps, "default", configMap("a"));
    expect((await client.get(events, "default", "a")).metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    await client.delete(events, "default", "a");
    await watched;
    expect(seen).toEqual(["ADDED a", "DELETED a"]);
    for (let i = 0; i < 5; i++) await client.create(events, "default", event(`e${i}`));
    const first = await client.list(events, "default", { limit: 2 });
    const rest = await client.list(events, "default", { continue: first.metadata.continue ?? "" });
    expect([...first.items, ...rest.items].map((each) => each.metadata.name)).toEqual(["e0", "e1", "e2", "e3", "e4"]);
    const keys = (where: Etcd, prefix: string): number =>
      where.ctl("get", prefix, "--prefix", "--keys-only").split("\n").filter(Boolean).length;
    expect([keys(one, "/registry/events"), keys(two, "/registry/events")]).toEqual([0, 5]);
    expect([keys(one, "/registry/configmaps"), keys(two, "/registry/configmaps")]).toEqual([expect.any(Number), 0]);
    expect(two.ctl("lease", "list")).toMatch(/found [1-9]/);
    await client.deleteCollection(events, "default");
    expect(keys(two, "/registry/events")).toBe(0);
    const { items } = (await client.raw("/api/v1/componentstatuses")) as { items: readonly ApiObject[] };
    expect(items.map((each) => each.metadata.name)).toEqual(["etcd-0", "etcd-1"]);
  });

  test("a full etcd fails writes alone, is told of, and is written to again when its alarm is disarmed", {
    timeout: 60_000,
  }, async () => {
    const tiny = await etcd("--quota-backend-bytes", String(4 * 1024 * 1024));
    const kv = storeOn(tiny);
    const client = await serve(kv);
    const padding = "x".repeat(200_000);
    let made = 0;
    const fill = async (): Promise<void> => {
      for (; made < 100; made++) await client.create(configMaps, "default", configMap(`m${made}`, { padding }));
    };
    await expect(fill()).rejects.toMatchObject({
      status: { code: 500, message: expect.stringContaining("database space exceeded") },
    });
    expect(made).toBeLessThan(100);
    expect(tiny.ctl("alarm", "list")).toContain("NOSPACE");
    // Reads, and what health says: nothing is ended for it.
    await kv.checkHealth();
    expect((await client.get(configMaps, "default", "m0")).metadata.name).toBe("m0");
    expect((await client.list(configMaps, "default")).items.length).toBeGreaterThanOrEqual(made);
    const health = (await client.raw("/api/v1/componentstatuses/etcd-0")) as ApiObject;
    expect(health.conditions).toMatchObject([{ status: "False", message: expect.stringContaining("etcd alarm NOSPACE") }]);
    // The write that fills etcd is refused by who takes it, or by who applies it: then it is there all the same.
    for (let i = 0; i <= made; i++) {
      await client.delete(configMaps, "default", `m${i}`).catch((error: unknown) => {
        if (i < made || !isNotFound(error)) throw error;
      });
    }
    expect((await client.list(configMaps, "default")).items.every(({ metadata }) => !/^m\d/.test(metadata.name ?? ""))).toBe(
      true,
    );
    // What whoever runs etcd does then.
    const revision = /"revision":(\d+)/.exec(tiny.ctl("endpoint", "status", "-w", "json"))?.[1] ?? "";
    tiny.ctl("compact", revision);
    tiny.ctl("defrag");
    tiny.ctl("alarm", "disarm");
    await client.create(configMaps, "default", configMap("after", { padding }));
    const healthy = (await client.raw("/api/v1/componentstatuses/etcd-0")) as ApiObject;
    expect(healthy.conditions).toMatchObject([{ status: "True", message: "ok" }]);
  });

  test("of several servers one compacts in each interval, by upstream's key, wherever a cluster's own keys lie", async () => {
    const where = await etcd();
    const intervalMs = 300;
    const elsewhere = new RebasedStore(storeOn(where), { outer: "/registry/", inner: "/clusters/two/" });
    await serve(elsewhere, { compactionIntervalMs: intervalMs });
    const other = await serve(storeOn(where), { compactionIntervalMs: intervalMs });
    const client = await serve(storeOn(where), { compactionIntervalMs: intervalMs });
    const first = await client.create(configMaps, "default", configMap("a"));
    const old = Number(first.metadata.resourceVersion);
    // A cluster at rest is not compacted, so that something has to happen.
    let written = 0;
    const isCompacted = async (): Promise<boolean> => {
      await client.create(configMaps, "default", configMap(`b${written++}`));
      return Number(where.ctl("get", "compact_rev_key", "--print-value-only")) > old;
    };
    await eventually(isCompacted, 20_000, "a compaction");
    const { kvs } = JSON.parse(where.ctl("get", "compact_rev_key", "-w", "json"));
    expect(kvs).toHaveLength(1);
    await expect(storeOn(where).get("/registry/configmaps/default/a", { revision: old })).rejects.toMatchObject({
      code: "Compacted",
    });
    for (const each of [client, other])
      expect((await each.get(configMaps, "default", "a")).metadata.resourceVersion).toBe(String(old));
  });

  test("an etcd that thinks itself corrupt is told of, and is written to again when it is not any more", async () => {
    const where = await etcd();
    const client = await serve(storeOn(where));
    const channel = new GrpcChannel({ url: where.urls[0] ?? "", tls: {}, clock: realClock });
    closing.push(async () => channel.close());
    // An AlarmRequest that activates CORRUPT.
    const raise = frameOf((fields) => {
      fields.integer(3, 2);
      fields.integer(1, 1);
    });
    await channel.unary("/etcdserverpb.Maintenance/Alarm", raise, 5_000);
    await expect(client.create(configMaps, "default", configMap("a"))).rejects.toMatchObject({
      status: { code: 500, message: expect.stringContaining("corrupt cluster") },
    });
    const ill = (await client.raw("/api/v1/componentstatuses/etcd-0")) as ApiObject;
    expect(ill.conditions).toMatchObject([{ status: "False", message: expect.stringContaining("alarm CORRUPT") }]);
    where.ctl("alarm", "disarm");
    expect((await client.create(configMaps, "default", configMap("a"))).metadata.name).toBe("a");
    expect((await client.list(configMaps, "default")).items.some(({ metadata }) => metadata.name === "a")).toBe(true);
  });

  test.skipIf(!isBuilt)(
    "the flags of kybern up: another etcd for events, and what is refused",
    { timeout: 120_000 },
    async () => {
      const [one, two] = [await etcd(), await etcd()];
      const dir = mkdtempSync(join(tmpdir(), "kybern-overrides-"));
      closing.push(async () => rmSync(dir, { recursive: true, force: true }));
      const args = ["up", "--data-dir", dir, "--secure-port", "0", "--nodes", "0", "--etcd-servers", one.urls.join()];
      const overrides = `/events#${two.urls.join(";")},events.k8s.io/events#${two.urls.join(";")}`;
      const limits = ["--etcd-compaction-interval=0", "--etcd-healthcheck-timeout=1s", "--watch-cache-sizes=pods#0"];
      const program = new Program([...args, "--etcd-servers-overrides", overrides, ...limits]);
      closing.push(() => program[Symbol.asyncDispose]());
      await eventually(() => program.stdout.includes("is up"), 20_000, `the banner: ${program.stderr}`);
      expect(program.stderr).toContain("watch caches that are not wanted are kept all the same");
      const text = readFileSync(join(dir, "admin.kubeconfig"), "utf8");
      const client = createRestClient({ ...parseKubeconfig(text, () => ""), userAgent: "test", clock: realClock });
      await client.create(events, "default", event("a"));
      expect(two.ctl("get", "/registry/events", "--prefix", "--keys-only")).toContain("/registry/events/default/a");
      const told = String(await client.raw("/readyz?verbose")).split("\n");
      expect(told.filter((line) => line.includes("]etcd"))).toEqual(
        ["etcd", "etcd-readiness", "etcd-override-0", "etcd-override-readiness-0"].map((name) => `[+]${name} ok`),
      );
      const sizes = /^apiserver_storage_size_bytes\{storage_cluster_id="(.*)"\} (\d+)$/gm;
      const known = [...String(await client.raw("/metrics")).matchAll(sizes)].map(([, id, bytes]) => [id, Number(bytes) > 0]);
      expect(known).toEqual([
        ["etcd-0", true],
        ["etcd-1", true],
      ]);
      two.members[0]?.child.kill("SIGKILL");
      await eventually(
        () =>
          client.raw("/readyz").then(
            () => false,
            (error: Error) => error.message.includes("[-]etcd-override-0 failed"),
          ),
        20_000,
        "the health of the other etcd",
      );
      await client.close();
      program.kill("SIGTERM");
      expect(await program.exited).toBe(0);
      for (const [flag, why] of [
        ["--etcd-servers-overrides=events#http://127.0.0.1:1", "takes entries such as /events#"],
        ["--etcd-servers-overrides=/events#127.0.0.1:1", "takes addresses such as"],
        ["--storage-media-type=application/yaml", "takes one of application/json, application/vnd.kubernetes.protobuf"],
        ["--etcd-compaction-interval=soon", "takes a duration"],
        ["--watch-cache-sizes=pods", "takes entries such as pods#100"],
        ["--delete-collection-workers=0", "takes a whole number from 1"],
      ] as const) {
        await using refused = new Program([...args, flag]);
        expect([await refused.exited, refused.stderr]).toEqual([2, expect.stringContaining(why)]);
      }
    },
  );
});
