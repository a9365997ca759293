import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConfigMap } from "#api/generated/core/v1.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { startKubeApiServer } from "#kube-apiserver/server.ts";
import { ensureClusterAssets } from "#pki/cluster-assets.ts";
import type { KVStore } from "#storage/kv.ts";
import { openTestStore } from "../support/store.ts";

const configMaps = { group: "", version: "v1", resource: "configmaps" };
const configMap = (name: string): ConfigMap => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });

let dir: string;
let servers: Awaited<ReturnType<typeof startKubeApiServer>>[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kybern-settings-"));
  servers = [];
});
afterEach(async () => {
  for (const server of servers) await server.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function serve(kv: KVStore, more: Partial<Parameters<typeof startKubeApiServer>[0]>): Promise<Client> {
  const serviceClusterIpRange = "10.96.0.0/12";
  const assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange });
  const options = { kv, clock: realClock, random: systemRandom, assets, bindAddress: "127.0.0.1", port: 0 };
  const server = await startKubeApiServer({ ...options, serviceClusterIpRange, ...more });
  servers.push(server);
  await server.ready;
  return server.inProcessClient({ name: "admin", uid: "", groups: ["system:masters"], extra: {} });
}

test("what is kept in another store is encrypted there as it would be in the first", async () => {
  const [kv, other] = [await openTestStore(), await openTestStore()];
  const configFile = join(dir, "encryption.yaml");
  const key = { name: "one", secret: Buffer.alloc(32, 7).toString("base64") };
  const providers = [{ aesgcm: { keys: [key] } }];
  writeFileSync(
    configFile,
    JSON.stringify({
      apiVersion: "apiserver.config.k8s.io/v1",
      kind: "EncryptionConfiguration",
      resources: [{ resources: ["configmaps"], providers }],
    }),
  );
  const overrides = [{ group: "", resource: "configmaps", kv: other }];
  const client = await serve(kv, { encryption: { configFile }, storage: { overrides } });
  await client.create(configMaps, "default", configMap("a"));
  const stored = (await other.get("/registry/configmaps/default/a")).kv;
  expect(Buffer.from(stored?.value ?? []).toString("latin1")).toMatch(/^k8s:enc:aesgcm:v1:one:/);
  expect((await kv.list("/registry/configmaps/")).kvs).toEqual([]);
  expect((await client.get(configMaps, "default", "a")).metadata.name).toBe("a");
});

test("a server that only reads shows what is there, adds nothing, and refuses every write", async () => {
  const kv = await openTestStore({ alone: true });
  const writer = await serve(kv, {});
  await writer.create(configMaps, "default", configMap("a"));
  await servers.pop()?.stop();
  const revision = await kv.currentRevision();
  const client = await serve(kv, { storage: { readOnly: true } });
  expect((await client.get(configMaps, "default", "a")).metadata.name).toBe("a");
  for (const write of [
    () => client.create(configMaps, "default", configMap("b")),
    () => client.update(configMaps, "default", "a", configMap("a")),
    () => client.delete(configMaps, "default", "a"),
    () => client.deleteCollection(configMaps, "default"),
    () => client.patch(configMaps, "default", "a", "application/merge-patch+json", { data: { a: "b" } }),
  ]) {
    const error = await write().catch((refused: unknown) => refused);
    expect(error instanceof StatusError && [error.status.code, error.status.reason]).toEqual([403, "Forbidden"]);
    expect((error as Error).message).toContain("this is a snapshot, which is open for reading only");
  }
  expect(await kv.currentRevision()).toBe(revision);
  await servers.pop()?.stop();
  const empty = await openTestStore({ alone: true });
  const nothing = await serve(empty, { storage: { readOnly: true } });
  expect((await nothing.list(configMaps, "")).items).toEqual([]);
  expect(await empty.currentRevision()).toBe(1);
});

test("a collection is deleted by as many workers as are wanted", async () => {
  for (const deleteCollectionWorkers of [1, 50]) {
    const client = await serve(await openTestStore(), { storage: { deleteCollectionWorkers } });
    for (let i = 0; i < 30; i++) await client.create(configMaps, "default", configMap(`m${i}`));
    await client.deleteCollection(configMaps, "default");
    const left = (await client.list(configMaps, "default")).items.map(({ metadata }) => metadata.name);
    expect(left.filter((name) => /^m\d/.test(name ?? ""))).toEqual([]);
  }
});
