import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConfigMap } from "#api/generated/core/v1.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { startKubeApiServer } from "#kube-apiserver/server.ts";
import { createAuthority, issueCertificate, type LeafRequest } from "#pki/certificate.ts";
import { ensureClusterAssets } from "#pki/cluster-assets.ts";
import { EtcdStore } from "#storage/etcd/etcd-store.ts";
import { ETCD_REASON, Etcd, hasEtcd } from "../support/etcd.ts";
import { eventually } from "../support/kubectl.ts";

const configMaps = { group: "", version: "v1", resource: "configmaps" };
const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});

/** Writes between two faults. */
const WRITES = 40;

describe.skipIf(!hasEtcd)(`three members of etcd, behind TLS (${ETCD_REASON})`, () => {
  let dir: string;
  let closing: (() => Promise<unknown>)[];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kybern-members-"));
    closing = [];
  });
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
    rmSync(dir, { recursive: true, force: true });
  });

  test("each killed and started again in turn, while clients of two API servers write", { timeout: 120_000 }, async () => {
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
    const own = pair("server", { commonName: "etcd", usages: ["server", "client"], hosts: ["127.0.0.1"] });
    const tls = { caFile, ...pair("client", { commonName: "kube-apiserver-etcd-client", usages: ["client"] }) };
    const args = ["--client-cert-auth", "--trusted-ca-file", caFile, "--cert-file", own.certFile, "--key-file", own.keyFile];
    const etcd = await Etcd.start({ members: 3, scheme: "https", args });
    closing.push(() => etcd[Symbol.asyncDispose]());
    const serviceClusterIpRange = "10.96.0.0/12";
    const assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange });
    const serve = async (): Promise<Client> => {
      const kv = new EtcdStore({ urls: etcd.urls, tls, clock: realClock, random: systemRandom });
      closing.push(() => kv.close());
      await eventually(() => kv.checkHealth().then(() => true), 20_000, "the cluster of etcd");
      const options = { kv, clock: realClock, random: systemRandom, assets, bindAddress: "127.0.0.1", port: 0 };
      const server = await startKubeApiServer({ ...options, serviceClusterIpRange });
      closing.push(() => server.stop());
      await server.ready;
      return server.inProcessClient({ name: "admin", uid: "", groups: ["system:masters"], extra: {} });
    };
    const [a, b] = [await serve(), await serve()];

    const state = { stop: false, acknowledged: 0, failed: 0 };
    const values = new Map<string, number>();
    // Each counts in an object of its own: what was acknowledged last must be there, or what was tried after it.
    const writers = [a, b, a, b].map(async (client, i) => {
      const name = `counter-${i}`;
      await client.create(configMaps, "default", configMap(name, { count: "0" }));
      for (let next = 1; !state.stop; ) {
        try {
          const current = await client.get<ConfigMap>(configMaps, "default", name);
          const seen = Number(current.data?.count);
          if (seen < next - 1) throw new Error(`${name} went back from ${next - 1} to ${seen}`);
          next = seen + 1;
          await client.update(configMaps, "default", name, { ...current, data: { count: String(next) } });
          values.set(name, next);
          next++;
          state.acknowledged++;
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          state.failed++;
        }
      }
    });
    const watching = new AbortController();
    closing.push(async () => watching.abort());
    const { metadata } = await b.list(configMaps, "default");
    const told: { readonly revision: number; readonly name: string; readonly count: number }[] = [];
    const watched = (async () => {
      const options = { resourceVersion: metadata.resourceVersion ?? "", signal: watching.signal };
      for await (const events of b.watch<ConfigMap>(configMaps, "default", options)) {
        for (const { object } of events) {
          if (object.data?.count === undefined) continue;
          const { resourceVersion = "", name = "" } = object.metadata;
          told.push({ revision: Number(resourceVersion), name, count: Number(object.data.count) });
        }
      }
    })().catch((error: unknown) => {
      if (!watching.signal.aborted) throw error;
    });
    const more = (): Promise<unknown> => {
      const target = state.acknowledged + WRITES;
      return eventually(() => state.acknowledged >= target, 30_000, "further writes");
    };
    for (const member of etcd.members) {
      await more();
      member.child.kill("SIGKILL");
      await more();
      await etcd.restart(member);
      // The next one may go only when this one counts again.
      await eventually(() => etcdIsWhole(etcd, tls), 30_000, "three members");
    }
    await more();
    state.stop = true;
    await Promise.all(writers);

    for (const client of [a, b]) {
      for (const [name, count] of values) {
        const object = await client.get<ConfigMap>(configMaps, "default", name);
        // A write whose answer was lost may have been made.
        expect([count, count + 1], name).toContain(Number(object.data?.count));
      }
    }
    const finals = await Promise.all([...values.keys()].map((name) => a.get<ConfigMap>(configMaps, "default", name)));
    const last = Math.max(...finals.map((object) => Number(object.metadata.resourceVersion)));
    await eventually(() => (told.at(-1)?.revision ?? 0) >= last, 20_000, "the watch");
    watching.abort();
    await watched;
    // Every change once, in order.
    expect(told.map(({ revision }) => revision)).toEqual(
      [...new Set(told.map(({ revision }) => revision))].sort((x, y) => x - y),
    );
    for (const { metadata: meta, data } of finals) {
      const counts = told.filter(({ name }) => name === meta.name).map(({ count }) => count);
      const first = counts[0] ?? 0;
      expect(counts, meta.name).toEqual(Array.from({ length: Number(data?.count) - first + 1 }, (_, i) => first + i));
    }
  });
});

/** Whether every member answers for itself. */
async function etcdIsWhole(
  etcd: Etcd,
  tls: { readonly caFile: string; readonly certFile: string; readonly keyFile: string },
): Promise<boolean> {
  for (const url of etcd.urls) {
    await using store = new EtcdStore({ urls: [url], tls, clock: realClock, random: systemRandom });
    await store.checkHealth();
  }
  return true;
}
