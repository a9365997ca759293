import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";

const upstream = fileURLToPath(new URL("../../../shared/upstream/discovery/aggregated_v2.json", import.meta.url));
const AGGREGATED = { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" };

let cluster: Cluster;
afterEach(() => cluster.stop());

async function start(...runtimeConfig: string[]): Promise<ReturnType<typeof asker>> {
  cluster = await startCluster({ nodes: 0, runtimeConfig });
  return asker(cluster);
}

interface Discovery {
  readonly items: readonly { readonly metadata: object; readonly versions: readonly { readonly version: string }[] }[];
}

/** Groups, versions and resources, without what depends on when the server was asked. */
function outline({ items }: Discovery): unknown {
  return items.map(({ metadata, versions }) => ({ metadata, versions }));
}

test.skipIf(!existsSync(upstream))("all versions that v1.36 serves, as upstream tells them", async () => {
  const ask = await start("api/all=true");
  const want = JSON.parse(readFileSync(upstream, "utf8")) as Discovery;
  const { body } = await ask("GET", "/apis", undefined, AGGREGATED);
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  expect(plain(outline(body))).toEqual(plain(outline(want)));
});

test("a level, a version and a resource", async () => {
  const ask = await start("api/beta=true", "resource.k8s.io/v1beta1=false", "batch/v1/cronjobs=false");
  expect((await ask("GET", "/apis/networking.k8s.io/v1beta1")).status).toBe(200);
  expect((await ask("GET", "/apis/resource.k8s.io/v1beta2")).status).toBe(200);
  expect((await ask("GET", "/apis/resource.k8s.io/v1beta1")).status).toBe(404);
  expect((await ask("GET", "/apis/internal.apiserver.k8s.io/v1alpha1")).status).toBe(404);
  const { body } = await ask("GET", "/apis/batch/v1");
  expect((body.resources as { name: string }[]).map(({ name }) => name)).toEqual(["jobs", "jobs/status"]);
  expect((await ask("GET", "/apis/batch/v1/cronjobs")).status).toBe(404);
  const document = await ask("GET", "/openapi/v3/apis/batch/v1");
  expect(Object.keys(document.body.paths).some((path) => path.includes("cronjobs"))).toBe(false);
  const warned = await ask("GET", "/apis/resource.k8s.io/v1beta2/deviceclasses");
  expect(warned.headers.warning).toContain("resource.k8s.io/v1beta2 DeviceClass is deprecated in v1.36+, unavailable in v1.39+");
  const addresses = await ask("GET", "/apis/networking.k8s.io/v1beta1/ipaddresses");
  expect(addresses.headers.warning).toContain(
    "networking.k8s.io/v1beta1 IPAddress is deprecated in v1.34+, unavailable in v1.37+",
  );
  const services = (await ask("GET", "/apis/apiregistration.k8s.io/v1/apiservices")).body.items as {
    metadata: { name: string };
  }[];
  expect(services.map(({ metadata }) => metadata.name)).toContain("v1beta1.networking.k8s.io");
});
