import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";
import { ConversionServer } from "../support/conversion-server.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const MIGRATIONS = "/apis/storagemigration.k8s.io/v1beta1/storageversionmigrations";
const GROUP = "moved.example.com";

// biome-ignore lint/suspicious/noExplicitAny: objects of tests.
type Any = any;

describe("storage version migration", () => {
  let cluster: Cluster;
  let hooks: ConversionServer;
  let ask: ReturnType<typeof asker>;

  beforeAll(async () => {
    [cluster, hooks] = await Promise.all([
      startCluster({ nodes: 0, runtimeConfig: ["storagemigration.k8s.io/v1beta1=true"] }),
      ConversionServer.start(),
    ]);
    ask = asker(cluster);
  });
  afterAll(async () => {
    await cluster?.stop();
    await hooks?.stop();
  });

  const conditionsOf = (body: Any): Record<string, string> =>
    Object.fromEntries((body.status?.conditions ?? []).map(({ type, status }: Any) => [type, status]));

  async function migrate(name: string, resource: object): Promise<Any> {
    const created = await ask("POST", MIGRATIONS, { metadata: { name }, spec: { resource } });
    expect(created.status, created.text).toBe(201);
    return vi.waitFor(
      async () => {
        const { body } = await ask("GET", `${MIGRATIONS}/${name}`);
        const { Succeeded, Failed } = conditionsOf(body);
        expect(Succeeded ?? Failed, JSON.stringify(body.status)).toBe("True");
        return body;
      },
      { timeout: 15_000, interval: 50 },
    );
  }

  test("custom resources are stored in the new version, after which the old one may go", async () => {
    hooks.on("/convert", ({ request }) =>
      request.objects.map((object: Any) => ({ ...object, apiVersion: request.desiredAPIVersion })),
    );
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const versions = (stored: string): object[] =>
      ["v1", "v2"].map((name) => ({ name, served: true, storage: name === stored, schema }));
    const made = await ask("POST", CRDS, {
      metadata: { name: `things.${GROUP}` },
      spec: {
        group: GROUP,
        scope: "Namespaced",
        names: { plural: "things", singular: "thing", kind: "Thing" },
        versions: versions("v1"),
        conversion: {
          strategy: "Webhook",
          webhook: {
            clientConfig: { url: hooks.url("/convert"), caBundle: hooks.caBundle },
            conversionReviewVersions: ["v1"],
          },
        },
      },
    });
    expect(made.status, made.text).toBe(201);
    const path = (version: string): string => `/apis/${GROUP}/${version}/namespaces/default/things`;
    await vi.waitFor(async () => expect((await ask("GET", path("v1"))).status).toBe(200), { timeout: 5_000 });
    for (const name of ["a", "b", "c"]) {
      const { status } = await ask("POST", path("v1"), { apiVersion: `${GROUP}/v1`, kind: "Thing", metadata: { name }, n: 1 });
      expect(status).toBe(201);
    }
    const patched = await ask("PATCH", `${CRDS}/things.${GROUP}`, { spec: { versions: versions("v2") } });
    expect(patched.body.status.storedVersions).toEqual(["v1", "v2"]);
    // What is stored cannot be forgotten.
    const dropped = await ask("PATCH", `${CRDS}/things.${GROUP}`, { spec: { versions: versions("v2").slice(1) } });
    expect(dropped).toMatchObject({ status: 422 });
    expect(dropped.body.message).toContain(
      "v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1",
    );
    await vi.waitFor(
      async () => {
        hooks.take("/convert");
        await ask("GET", `${path("v2")}?limit=1`);
        await ask("GET", path("v2"));
        const { body } = await ask("GET", `${CRDS}/things.${GROUP}`);
        expect(body.status.storedVersions).toEqual(["v1", "v2"]);
      },
      { timeout: 5_000 },
    );
    const done = await migrate("things", { group: GROUP, resource: "things" });
    expect(conditionsOf(done)).toEqual({ Running: "False", Succeeded: "True" });
    expect(done.status.conditions.map(({ reason }: Any) => reason)).toEqual([
      "StorageVersionMigrationInProgress",
      "StorageVersionMigrationSucceeded",
    ]);
    expect(Number(done.status.resourceVersion)).toBeGreaterThan(0);
    hooks.take("/convert");
    const { body } = await ask("GET", path("v2"));
    expect(body.items).toHaveLength(3);
    for (const { metadata } of body.items) {
      const managers = metadata.managedFields?.map(({ manager }: Any) => manager) ?? [];
      expect(managers).not.toContain("storage-version-migrator-controller");
    }
    expect(hooks.take("/convert")).toEqual([]);
    const status = await ask("PATCH", `${CRDS}/things.${GROUP}/status`, { status: { storedVersions: ["v2"] } });
    expect(status.status, status.text).toBe(200);
    const gone = await ask("PATCH", `${CRDS}/things.${GROUP}`, { spec: { versions: versions("v2").slice(1) } });
    expect(gone.status, gone.text).toBe(200);
    await vi.waitFor(async () => expect((await ask("GET", path("v1"))).status).toBe(404), { timeout: 5_000 });
    expect((await ask("GET", path("v2"))).body.items).toHaveLength(3);
  });

  test("secrets are migrated, and what needs no change stays as it is", async () => {
    const made = await ask("POST", "/api/v1/namespaces/default/secrets", { metadata: { name: "s" }, stringData: { a: "b" } });
    const done = await migrate("secrets", { group: "", resource: "secrets" });
    expect(conditionsOf(done)).toEqual({ Running: "False", Succeeded: "True" });
    const { body } = await ask("GET", "/api/v1/namespaces/default/secrets/s");
    expect(body.metadata.resourceVersion).toBe(made.body.metadata.resourceVersion);
  });

  test("what is not served fails", async () => {
    const done = await migrate("nothing", { group: "no.example.com", resource: "nothings" });
    expect(done.status.conditions).toMatchObject([
      {
        type: "Failed",
        status: "True",
        reason: "StorageVersionMigrationFailed",
        message: "resource does not exist in discovery",
      },
    ]);
  });

  test("a definition's migration does not change", async () => {
    const answer = await ask("PATCH", `${MIGRATIONS}/secrets`, { spec: { resource: { resource: "pods" } } });
    expect(answer).toMatchObject({ status: 422, body: { details: { causes: [{ field: "spec" }] } } });
  });
});
