import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CustomResourceDefinition } from "#api/generated/apiextensions/v1.ts";
import { realClock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { parseKubeconfig } from "#client/kubeconfig.ts";
import { createRestClient, type RestClient } from "#client/rest-client.ts";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";
import { ETCD_REASON, Etcd, hasEtcd } from "../support/etcd.ts";
import { eventually } from "../support/kubectl.ts";
import { isBuilt, Program } from "../support/program.ts";

const CRDS = { group: "apiextensions.k8s.io", version: "v1", resource: "customresourcedefinitions" };
const CLIENTS = 20;

function definition(group: string): CustomResourceDefinition {
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `things.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural: "things", singular: "thing", kind: "Thing" },
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  } as CustomResourceDefinition;
}

/** Makes a definition, and calls back in the moment in which the watch shows it established. */
async function whenEstablished(client: Client, group: string, act: () => Promise<void>): Promise<void> {
  const end = new AbortController();
  const watch = client.watch<CustomResourceDefinition>(CRDS, "", {
    resourceVersion: (await client.list(CRDS, "")).metadata.resourceVersion,
    fieldSelector: `metadata.name=things.${group}`,
    signal: end.signal,
  });
  const seen = (async () => {
    for await (const events of watch) {
      for (const { object } of events) {
        const conditions = object.status?.conditions ?? [];
        if (conditions.some(({ type, status }) => type === "Established" && status === "True")) return;
      }
    }
    throw new Error("the watch ended");
  })();
  await client.create(CRDS, "", definition(group));
  await seen;
  await act();
  end.abort();
}

describe("a custom resource is there for whoever has seen that it is established", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
  });
  afterAll(async () => cluster?.stop());

  test("every client's first request finds it, and it is published at once", async () => {
    for (let round = 0; round < 10; round++) {
      const group = `g${round}.example.com`;
      const { client } = cluster;
      await whenEstablished(client, group, async () => {
        const path = `/apis/${group}/v1/namespaces/default/things`;
        const creates = Array.from({ length: CLIENTS }, (_, i) =>
          ask("POST", path, { apiVersion: `${group}/v1`, kind: "Thing", metadata: { name: `t${i}` } }),
        );
        const lists = Array.from({ length: CLIENTS }, () => ask("GET", `/apis/${group}/v1/things`));
        const documents = [`/apis/${group}/v1`, `/apis/${group}`, `/openapi/v3/apis/${group}/v1`].map((each) => ask("GET", each));
        const [groups, v2] = await Promise.all([ask("GET", "/apis"), ask("GET", "/openapi/v2")]);
        expect(groups.body.groups.map(({ name }: { name: string }) => name)).toContain(group);
        expect(Object.keys(v2.body.paths)).toContain(`/apis/${group}/v1/namespaces/{namespace}/things`);
        expect((await Promise.all(creates)).map(({ status }) => status)).toEqual(creates.map(() => 201));
        expect((await Promise.all([...lists, ...documents])).every(({ status }) => status === 200)).toBe(true);
      });
    }
  });

  test("what is changed while it is in use stays there", async () => {
    const group = "busy.example.com";
    const path = `/apis/${group}/v1/namespaces/default/things`;
    await whenEstablished(cluster.client, group, async () => undefined);
    let done = false;
    const statuses = new Set<number>();
    const use = async (client: number): Promise<void> => {
      for (let i = 0; !done; i++) {
        const name = `c${client}-${i}`;
        statuses.add((await ask("POST", path, { apiVersion: `${group}/v1`, kind: "Thing", metadata: { name } })).status);
        statuses.add((await ask("GET", `${path}/${name}`)).status);
        statuses.add((await ask("PATCH", `${path}/${name}`, { n: i })).status);
      }
    };
    const users = Array.from({ length: 5 }, (_, i) => use(i));
    for (let i = 0; i < 8; i++) {
      const { status } = await ask("PATCH", `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.${group}`, {
        spec: {
          versions: [
            {
              ...definition(group).spec.versions[0],
              additionalPrinterColumns: [{ name: `C${i}`, type: "string", jsonPath: ".x" }],
            },
          ],
        },
      });
      expect(status).toBe(200);
    }
    done = true;
    await Promise.all(users);
    expect([...statuses].sort()).toEqual([200, 201]);
  });
});

describe.skipIf(!hasEtcd || !isBuilt)(`two API servers on one etcd (${ETCD_REASON}, and dist/)`, () => {
  test("whichever server shows that it is established, both serve it", async () => {
    const dir = mkdtempSync(join(tmpdir(), "kybern-crds-"));
    await using etcd = await Etcd.start();
    const start = async (name: string): Promise<Program> => {
      const args = ["--data-dir", join(dir, name), "--secure-port", "0", "--nodes", "0", "--etcd-servers", etcd.urls.join(",")];
      const program = new Program(["up", ...args]);
      await eventually(() => program.stdout.includes("is up"), 20_000, `the banner of ${name}: ${program.stderr}`);
      return program;
    };
    const connect = (name: string): RestClient => {
      const kubeconfig = parseKubeconfig(readFileSync(join(dir, name, "admin.kubeconfig"), "utf8"), () => "");
      return createRestClient({ ...kubeconfig, userAgent: "test", clock: realClock });
    };
    await using _a = await start("a");
    cpSync(join(dir, "a", "pki"), join(dir, "b", "pki"), { recursive: true });
    await using _b = await start("b");
    const [first, second] = [connect("a"), connect("b")];
    for (let round = 0; round < 6; round++) {
      const group = `two${round}.example.com`;
      const things = { group, version: "v1", resource: "things" };
      await whenEstablished(round % 2 === 0 ? first : second, group, async () => {
        await Promise.all(Array.from({ length: CLIENTS }, (_, i) => (i % 2 === 0 ? first : second).list(things, "default")));
      });
    }
    await Promise.all([first.close(), second.close()]);
    rmSync(dir, { recursive: true, force: true });
  });
});
