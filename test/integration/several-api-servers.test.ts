import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConfigMap, Node, Pod, Service } from "#api/generated/core/v1.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { decodeProtobuf } from "#apimachinery/protobuf/decode.ts";
import { encodeMessage } from "#apimachinery/protobuf/encode.ts";
import { inEnvelope } from "#apimachinery/protobuf/envelope.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { assert } from "#base/assert.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { parseKubeconfig } from "#client/kubeconfig.ts";
import { createRestClient, type RestClient } from "#client/rest-client.ts";
import { EtcdStore } from "#storage/etcd/etcd-store.ts";
import { ETCD_REASON, Etcd, hasEtcd } from "../support/etcd.ts";
import { eventually } from "../support/kubectl.ts";
import { isBuilt, Program } from "../support/program.ts";

const configMaps = { group: "", version: "v1", resource: "configmaps" };
const pods = { group: "", version: "v1", resource: "pods" };
const nodes = { group: "", version: "v1", resource: "nodes" };
const services = { group: "", version: "v1", resource: "services" };
const deployments = { group: "apps", version: "v1", resource: "deployments" };
const namespaces = { group: "", version: "v1", resource: "namespaces" };

function configMap(name: string, data: Record<string, string> = {}): ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data };
}

/** Adds one to a number in a ConfigMap, as controllers do: read, change, write, and again on a conflict. */
async function increment(client: Client, name: string): Promise<void> {
  for (;;) {
    const current = await client.get<ConfigMap>(configMaps, "default", name);
    const count = String(Number(current.data?.count ?? "0") + 1);
    try {
      await client.update(configMaps, "default", name, { ...current, data: { count } });
      return;
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 409) throw error;
    }
  }
}

describe.skipIf(!hasEtcd || !isBuilt)(`several kybern up on one etcd (${ETCD_REASON}, and dist/)`, () => {
  let dir: string;
  let etcd: Etcd;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "kybern-masters-"));
    etcd = await Etcd.start();
  });
  afterEach(async () => {
    await etcd[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  const start = async (name: string, ...flags: string[]): Promise<Program> => {
    const args = ["--data-dir", join(dir, name), "--secure-port", "0", "--etcd-servers", etcd.urls.join(",")];
    const program = new Program(["up", ...args, ...flags]);
    await eventually(() => program.stdout.includes("is up"), 20_000, `the banner of ${name}: ${program.stderr}`);
    return program;
  };
  /** Another server of the cluster that `a` belongs to. */
  const another = (name: string): Promise<Program> => {
    cpSync(join(dir, "a", "pki"), join(dir, name, "pki"), { recursive: true });
    return start(name, "--nodes", "0");
  };
  const connect = (name: string): RestClient =>
    createRestClient({
      ...parseKubeconfig(readFileSync(join(dir, name, "admin.kubeconfig"), "utf8"), () => ""),
      userAgent: "test",
      clock: realClock,
    });

  test("what one writes the other reads and watches, and no update is lost", async () => {
    await using _a = await start("a");
    await using _b = await another("b");
    const [a, b] = [connect("a"), connect("b")];
    for (let i = 0; i < 20; i++) {
      const [writer, reader] = i % 2 === 0 ? [a, b] : [b, a];
      await writer.create(configMaps, "default", configMap(`m${i}`));
      expect((await reader.get(configMaps, "default", `m${i}`)).metadata.name).toBe(`m${i}`);
      expect((await reader.list(configMaps, "default")).items.some(({ metadata }) => metadata.name === `m${i}`)).toBe(true);
    }
    const { metadata } = await a.list(configMaps, "default");
    const watching = new AbortController();
    const seen: string[] = [];
    const watched = (async () => {
      const options = { resourceVersion: metadata.resourceVersion ?? "", fieldSelector: "metadata.name=counter" };
      for await (const events of b.watch<ConfigMap>(configMaps, "default", { ...options, signal: watching.signal })) {
        seen.push(...events.map(({ object }) => object.data?.count ?? "0"));
        if (seen.at(-1) === "60") return;
      }
    })();
    await a.create(configMaps, "default", configMap("counter"));
    await Promise.all(
      [a, b].flatMap((client) =>
        Array.from({ length: 3 }, async () => {
          for (let i = 0; i < 10; i++) await increment(client, "counter");
        }),
      ),
    );
    await watched;
    watching.abort();
    expect(seen).toEqual(Array.from({ length: 61 }, (_, i) => String(i)));
    await Promise.all([a.close(), b.close()]);
  });

  test("no two Services get one address or node port, whoever makes them", async () => {
    await using _a = await start("a");
    await using _b = await another("b");
    const clients = [connect("a"), connect("b")];
    const made = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        (clients[i % 2] as Client).create<Service>(services, "default", {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: `s${i}` },
          spec: { type: "NodePort", ports: [{ port: 80 }], selector: { app: "web" } },
        } as Service),
      ),
    );
    expect(new Set(made.map(({ spec }) => spec?.ports?.[0]?.nodePort)).size).toBe(100);
    expect(new Set(made.map(({ spec }) => spec?.clusterIP)).size).toBe(100);
    await Promise.all(clients.map((client) => client.close()));
  });

  test("a server that is killed takes nothing with it, and the other goes on in its place", { timeout: 120_000 }, async () => {
    await using first = await start("a");
    await using _second = await another("b");
    const [a, b] = [connect("a"), connect("b")];
    const acknowledged: string[] = [];
    const writing = (async () => {
      for (let i = 0; ; i++) {
        await a.create(configMaps, "default", configMap(`w${i}`));
        acknowledged.push(`w${i}`);
      }
    })().catch(() => undefined);
    await eventually(() => acknowledged.length > 100, 20_000, "a hundred writes");
    first.kill("SIGKILL");
    await Promise.all([writing, first.exited]);
    const names = new Set((await b.list(configMaps, "default")).items.map(({ metadata }) => metadata.name));
    expect(acknowledged.filter((name) => !names.has(name))).toEqual([]);
    const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "i" }] } };
    await b.create(deployments, "default", {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: { replicas: 3, selector: { matchLabels: { app: "web" } }, template },
    } as never);
    // Its Leases must run out before the other's controllers and scheduler take over.
    const placed = async (): Promise<number> =>
      (await b.list<Pod>(pods, "default")).items.filter(({ spec }) => spec?.nodeName !== undefined).length;
    await expect.poll(placed, { timeout: 60_000, interval: 500 }).toBe(3);
    await Promise.all([a.close(), b.close()]);
  });

  test("keys are upstream's, under the prefix that is asked for", async () => {
    await using _a = await start("a", "--etcd-prefix", "/clusters/one");
    const a = connect("a");
    await a.create(configMaps, "default", configMap("x"));
    await a.list<Node>(nodes, "");
    const keys = etcd.ctl("get", "", "--prefix", "--keys-only").split("\n").filter(Boolean);
    expect(keys.filter((key) => !key.startsWith("/clusters/one/"))).toEqual(["compact_rev_key"]);
    for (const key of ["configmaps/default/x", "services/specs/default/kubernetes", "minions/node-0", "namespaces/kube-system"]) {
      expect(keys).toContain(`/clusters/one/${key}`);
    }
    await a.close();
  });

  test("what upstream stored as protobuf is served, and written as protobuf when it changes", async () => {
    await using store = new EtcdStore({ urls: etcd.urls, tls: {}, clock: realClock, random: systemRandom });
    const schema = schemaFor("", "v1", "Namespace");
    assert(schema !== undefined, "Namespaces have a type");
    const metadata = { name: "old", uid: "5f0a3a5c-3b1e-4b7c-9f0e-000000000001", creationTimestamp: "2026-01-02T03:04:05Z" };
    const namespace = { metadata, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } };
    const key = "/registry/namespaces/old";
    const value = inEnvelope("v1", "Namespace", encodeMessage(schema, namespace));
    await store.txn({ key, expectedModRevision: 0, put: { value } });
    await store.txn({ key: "/registry/configmaps/old/broken", expectedModRevision: 0, put: { value: Buffer.from("k8s:enc:x") } });
    await using program = await start("a");
    const a = connect("a");
    expect(await a.get(namespaces, "", "old")).toMatchObject({ apiVersion: "v1", kind: "Namespace", ...namespace });
    // A value that cannot be read keeps nothing else from being read.
    expect((await a.list(configMaps, "old")).items.every(({ metadata: { name } }) => name !== "broken")).toBe(true);
    expect(program.stderr).toContain("/registry/configmaps/old/broken");
    await a.patch(namespaces, "", "old", "application/merge-patch+json", { metadata: { labels: { now: "changed" } } });
    const { kv } = await store.get(key);
    expect(decodeProtobuf(kv?.value ?? new Uint8Array(), schemaFor)).toMatchObject({
      ...namespace,
      metadata: { ...metadata, labels: { now: "changed" } },
    });
    await a.close();
  });

  test("without etcd the start fails in words, and wrong flags are explained", async () => {
    await using absent = new Program(["up", "--data-dir", dir, "--secure-port", "0", "--etcd-servers", "http://127.0.0.1:1"]);
    expect(await absent.exited).toBe(1);
    expect(absent.stderr).toMatch(/etcd at http:\/\/127\.0\.0\.1:1 does not answer: .*check --etcd-servers/);
    await using wrong = new Program(["up", "--data-dir", dir, "--etcd-servers", "127.0.0.1:2379"]);
    expect(await wrong.exited).toBe(2);
    expect(wrong.stderr).toContain("--etcd-servers takes addresses such as");
  });
});
