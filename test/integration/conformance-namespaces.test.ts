import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";

const NAMESPACES = "/api/v1/namespaces";

describe("namespaces", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1 });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());
  const create = async (name: string): Promise<string> => {
    expect((await ask("POST", NAMESPACES, { metadata: { name } })).status).toBe(201);
    return `${NAMESPACES}/${name}`;
  };
  const gone = (path: string, timeout = 20_000) =>
    vi.waitFor(async () => expect((await ask("GET", path)).status).toBe(404), { timeout });

  test("are patched and updated", async () => {
    const path = await create("changed");
    const patched = await ask("PATCH", path, JSON.stringify({ metadata: { labels: { testLabel: "testValue" } } }), {
      "content-type": "application/strategic-merge-patch+json",
    });
    expect(patched.body.metadata.labels).toEqual({ "kubernetes.io/metadata.name": "changed", testLabel: "testValue" });
    const { body } = await ask("GET", path);
    const updated = await ask("PUT", path, { ...body, metadata: { ...body.metadata, labels: { changed: "updated" } } });
    expect(updated.body.metadata.labels).toEqual({ "kubernetes.io/metadata.name": "changed", changed: "updated" });
  });

  test("have a status of their own", async () => {
    const path = await create("status");
    expect((await ask("GET", `${path}/status`)).body.status).toEqual({ phase: "Active" });
    const condition = { type: "StatusPatch", status: "True", reason: "Test", message: "Patched by a test" };
    const change = { metadata: { annotations: { patched: "yes" } }, status: { conditions: [condition] } };
    const patched = (await ask("PATCH", `${path}/status`, change)).body;
    expect(patched.metadata.annotations).toEqual({ patched: "yes" });
    expect(patched.status.conditions).toMatchObject([condition]);
    patched.status.conditions.push({ ...condition, type: "StatusUpdate" });
    const updated = await ask("PUT", `${path}/status`, patched);
    expect(updated.body.status.conditions.map(({ type }: { type: string }) => type)).toEqual(["StatusPatch", "StatusUpdate"]);
  });

  test("wait for the finalizers of others", async () => {
    const path = await create("finalized");
    const { body } = await ask("GET", path);
    const withOwn = { ...body, spec: { finalizers: [...body.spec.finalizers, "example.com/own"] } };
    // An ordinary update does not touch them.
    expect((await ask("PUT", path, withOwn)).body.spec.finalizers).toEqual(["kubernetes"]);
    const now = (await ask("GET", path)).body;
    const finalized = await ask("PUT", `${path}/finalize`, { ...now, spec: withOwn.spec });
    expect(finalized.body.spec.finalizers).toEqual(["kubernetes", "example.com/own"]);
    expect((await ask("DELETE", path)).body.status.phase).toBe("Terminating");
    await vi.waitFor(async () => expect((await ask("GET", path)).body.spec.finalizers).toEqual(["example.com/own"]), {
      timeout: 20_000,
    });
    const held = (await ask("GET", path)).body;
    await ask("PUT", `${path}/finalize`, { ...held, spec: { finalizers: [] } });
    await gone(path);
  });

  test("take all that is in them with them, and come back empty", async () => {
    const path = await create("taken");
    const pod = { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }], terminationGracePeriodSeconds: 1 } };
    await vi.waitFor(async () => expect((await ask("POST", `${path}/pods`, pod)).status).toBe(201), { timeout: 20_000 });
    await vi.waitFor(async () => expect((await ask("GET", `${path}/pods/p`)).body.status.phase).toBe("Running"), {
      timeout: 20_000,
    });
    await ask("POST", `${path}/services`, { metadata: { name: "s" }, spec: { ports: [{ port: 80 }] } });
    await ask("POST", `${path}/configmaps`, { metadata: { name: "held", finalizers: ["example.com/hold"] } });
    await ask("DELETE", path);
    const refused = await ask("POST", `${path}/configmaps`, { metadata: { name: "late" } });
    expect(refused).toMatchObject({ status: 403, body: { details: { causes: [{ reason: "NamespaceTerminating" }] } } });
    await vi.waitFor(
      async () => {
        const { conditions = [] } = (await ask("GET", path)).body.status;
        const true_ = conditions
          .filter(({ status }: { status: string }) => status === "True")
          .map(({ type }: { type: string }) => type);
        expect(true_.sort()).toEqual(["NamespaceContentRemaining", "NamespaceFinalizersRemaining"]);
      },
      { timeout: 20_000 },
    );
    await ask("PATCH", `${path}/configmaps/held`, { metadata: { finalizers: [] } });
    await gone(path, 30_000);
    await create("taken");
    expect((await ask("GET", `${path}/pods`)).body.items).toEqual([]);
    expect((await ask("GET", `${path}/services`)).body.items).toEqual([]);
  }, 60_000);

  test("go fast when many go", async () => {
    const paths = await Promise.all(Array.from({ length: 40 }, (_, i) => create(`many-${i}`)));
    await Promise.all(paths.map((path) => ask("DELETE", path)));
    await Promise.all(paths.map((path) => gone(path, 60_000)));
  }, 90_000);
});
