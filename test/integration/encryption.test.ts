import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { silentLogger } from "#component-base/logging.ts";
import { type ControlPlane, startControlPlane } from "#envtest/control-plane.ts";
import { type ClusterAssets, ensureClusterAssets } from "#pki/cluster-assets.ts";
import type { KVStore } from "#storage/kv.ts";
import { asker } from "../support/ask.ts";
import { KmsPlugin } from "../support/kms-plugin.ts";
import { openTestStore } from "../support/store.ts";

const RANGE = "10.96.0.0/12";
const key = (name: string, fill: number): object => ({ name, secret: Buffer.alloc(32, fill).toString("base64") });

describe("secrets at rest", () => {
  const dir = mkdtempSync(join(tmpdir(), "kybern-encryption-"));
  const configFile = join(dir, "encryption.json");
  let kv: KVStore;
  const plugin = new KmsPlugin();
  let assets: ClusterAssets;
  let plane: ControlPlane | undefined;
  let ask: ReturnType<typeof asker>;

  beforeAll(async () => {
    kv = await openTestStore();
    assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange: RANGE });
    await plugin.listen(join(dir, "kms.sock"));
  });
  afterAll(async () => {
    await plane?.stop();
    await plugin[Symbol.asyncDispose]();
    await kv.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** A start of the API server on the same data, by another configuration. */
  async function startWith(...providers: object[]): Promise<void> {
    await plane?.stop();
    plane = undefined;
    const resources = [{ resources: ["secrets", "fishes.example.com"], providers }];
    const config = { apiVersion: "apiserver.config.k8s.io/v1", kind: "EncryptionConfiguration", resources };
    writeFileSync(configFile, JSON.stringify(config));
    plane = await startControlPlane({
      kv,
      clock: realClock,
      random: systemRandom,
      logger: silentLogger,
      assets,
      bindAddress: "127.0.0.1",
      port: 0,
      serviceClusterIpRange: RANGE,
      authentication: {},
      nodes: 0,
      encryption: { configFile },
    });
    const { ca, admin } = assets;
    ask = asker({ url: plane.apiServer.url, credentials: { ca: ca.cert, cert: admin.cert, key: admin.key } });
  }

  const stored = async (name: string): Promise<string> =>
    Buffer.from((await kv.get(`/registry/${name}`)).kv?.value ?? []).toString("latin1");
  const read = async (): Promise<string> => (await ask("GET", "/api/v1/namespaces/default/secrets/s")).body.data?.k;
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { k: "aGlkZGVu" } };
  const gcm = { aesgcm: { keys: [key("one", 1)] } };
  const box = { secretbox: { keys: [key("two", 2)] } };
  const kms = { kms: { apiVersion: "v2", name: "plugin", endpoint: `unix://${dir}/kms.sock` } };

  test("what is named is encrypted, and the rest is not", async () => {
    await startWith(gcm);
    expect((await ask("POST", "/api/v1/namespaces/default/secrets", secret)).status).toBe(201);
    expect((await ask("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: "open" } })).status).toBe(201);
    expect(await stored("secrets/default/s")).toMatch(/^k8s:enc:aesgcm:v1:one:/);
    expect(await stored("secrets/default/s")).not.toContain("aGlkZGVu");
    expect(await stored("configmaps/default/open")).toMatch(/^\{/);
    expect(await read()).toBe("aGlkZGVu");
  });

  test("keys are rotated by writing everything anew, though nothing changes", async () => {
    await startWith(box, gcm);
    expect(await read()).toBe("aGlkZGVu");
    expect((await ask("PUT", "/api/v1/namespaces/default/secrets/s", secret)).status).toBe(200);
    expect(await stored("secrets/default/s")).toMatch(/^k8s:enc:secretbox:v1:two:/);
    const { resourceVersion } = (await ask("PUT", "/api/v1/namespaces/default/secrets/s", secret)).body.metadata;
    expect((await ask("PUT", "/api/v1/namespaces/default/secrets/s", secret)).body.metadata.resourceVersion).toBe(
      resourceVersion,
    );
    await startWith(box);
    expect(await read()).toBe("aGlkZGVu");
  });

  test("a key management service keeps the key of keys, and new keys come with its own", async () => {
    await startWith(kms, box);
    expect((await ask("PUT", "/api/v1/namespaces/default/secrets/s", secret)).status).toBe(200);
    expect(await stored("secrets/default/s")).toMatch(/^k8s:enc:kms:v2:plugin:/);
    expect((await ask("GET", "/healthz/kms-providers")).text).toBe("ok");
    await startWith(kms);
    expect(await read()).toBe("aGlkZGVu");
    expect(plugin.decryptions).toBe(1);
    plugin.keyId = "key-2";
    await startWith(kms);
    expect((await ask("PUT", "/api/v1/namespaces/default/secrets/s", secret)).status).toBe(200);
    expect(await stored("secrets/default/s")).toContain("key-2");
  });

  test("decryption goes back to plain text", async () => {
    await startWith({ identity: {} }, kms);
    expect((await ask("PUT", "/api/v1/namespaces/default/secrets/s", secret)).status).toBe(200);
    expect(await stored("secrets/default/s")).toMatch(/^\{/);
  });

  test.each([
    [
      "a key of another length",
      [{ aescbc: { keys: [{ name: "a", secret: "c2hvcnQ=" }] } }],
      "secret is not of the expected length, got 5",
    ],
    ["two providers in one", [{ ...gcm, ...box }], "more than one provider specified in a single element"],
    ["none", [], "at least one resources[0].providers is required"],
    ["KMS v1", [{ kms: { name: "old", endpoint: "unix:///x" } }], "KMSv1 is deprecated"],
  ])("%s is refused with what is wrong, and without the secret", async (_, providers, message) => {
    await expect(startWith(...(providers as object[]))).rejects.toThrow(message);
    await expect(startWith(...(providers as object[]))).rejects.not.toThrow("c2hvcnQ=");
  });
});
