import { afterAll, beforeAll, expect, test } from "vitest";
import { asker } from "../support/ask.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";

const SERVICES = "/api/v1/namespaces/default/services";

let cluster: Cluster;
let ask: ReturnType<typeof asker>;
beforeAll(async () => {
  cluster = await startCluster({ nodes: 0 });
  ask = asker(cluster);
});
afterAll(() => cluster?.stop());

/** The samples of a page, by name and labels. */
async function samples(path: string): Promise<ReadonlyMap<string, number>> {
  const { text } = await ask("GET", path);
  return new Map([...text.matchAll(/^([a-z_]+(?:{.*})?) (\S+)$/gm)].map(([, key = "", value]) => [key, Number(value)]));
}

test("addresses and ports of Services are counted, by whether they were asked for", async () => {
  const make = async (name: string, spec: object, port: object = {}): Promise<number> =>
    (await ask("POST", SERVICES, { metadata: { name }, spec: { ports: [{ port: 80, ...port }], ...spec } })).status;
  const before = await samples("/metrics");
  const [gauge = ""] = [...before.keys()].filter((key) => key.includes("clusterip_allocator_allocated_ips"));
  const cidr = /cidr="([^"]+)"/.exec(gauge)?.[1] ?? "";
  const network = cidr.replace(/\.\d+\/.*$/, "");
  expect(await make("any", { type: "NodePort" })).toBe(201);
  expect(await make("wanted", { type: "NodePort", clusterIP: `${network}.77` }, { nodePort: 30_077 })).toBe(201);
  expect(await make("taken-port", { type: "NodePort" }, { nodePort: 30_077 })).toBe(422);
  const after = await samples("/metrics");
  const change = (name: string, labels = ""): number => {
    const key = `kube_apiserver_${name}${labels === "" ? "" : `{${labels}}`}`;
    return (after.get(key) ?? 0) - (before.get(key) ?? 0);
  };
  const ofCidr = `cidr="${cidr}"`;
  expect([change("clusterip_allocator_allocated_ips", ofCidr), change("clusterip_allocator_available_ips", ofCidr)]).toEqual([
    2, -2,
  ]);
  expect(change("clusterip_allocator_allocation_total", `${ofCidr},scope="static"`)).toBe(1);
  expect(change("clusterip_allocator_allocation_total", `${ofCidr},scope="dynamic"`)).toBeGreaterThanOrEqual(1);
  expect(change("clusterip_allocator_allocation_duration_seconds_count", ofCidr)).toBeGreaterThanOrEqual(2);
  expect([change("nodeport_allocator_allocated_ports"), change("nodeport_allocator_available_ports")]).toEqual([2, -2]);
  expect(change("nodeport_allocator_allocation_total", 'scope="static"')).toBe(1);
  expect(change("nodeport_allocator_allocation_total", 'scope="dynamic"')).toBeGreaterThanOrEqual(1);
});

test("what was found of health is told by check and endpoint", async () => {
  const before =
    (await samples("/metrics/slis")).get('kubernetes_healthchecks_total{name="etcd",status="success",type="readyz"}') ?? 0;
  expect((await ask("GET", "/readyz?exclude=ping")).status).toBe(200);
  const after = await samples("/metrics/slis");
  expect(after.get('kubernetes_healthcheck{name="etcd",type="readyz"}')).toBe(1);
  expect(after.get('kubernetes_healthchecks_total{name="etcd",status="success",type="readyz"}')).toBeGreaterThan(before);
  const { text } = await ask("GET", "/metrics/slis");
  expect(text).not.toContain("apiserver_request_total");
});
