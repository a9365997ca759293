import { expect, test } from "vitest";
import type { Service } from "#api/generated/core/v1.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { createStores } from "#apiserver/registry/store/store-registry.ts";
import { resolveRequestInfo } from "#apiserver/request/resolve-request-info.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { loopbackContext } from "#kube-apiserver/loopback.ts";
import { endpoints } from "#kube-apiserver/registry/core/endpoints/endpoints.ts";
import { services } from "#kube-apiserver/registry/core/service/service.ts";
import type { RegistryModules } from "#kube-apiserver/registry/modules.ts";
import { ipAddresses } from "#kube-apiserver/registry/networking/ip-address/ip-address.ts";
import { serviceCIDRs } from "#kube-apiserver/registry/networking/service-cidr/service-cidr.ts";
import { lazyStores } from "#kube-apiserver/start/lazy-stores.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { costRatio, type Task } from "./cost.ts";

const CHANGES = 50;
const PATH = "/api/v1/namespaces/ns/services";

/** Services with a port on all nodes are made and deleted, on a store that other servers write to, too. */
async function making(size: number, type: "ClusterIP" | "NodePort"): Promise<Task> {
  const kv = new MemoryStore({ clock: realClock });
  const shared = { clock: realClock, random: seededRandom(1) };
  const lazy = lazyStores();
  const ranges = { serviceRanges: ["10.0.0.0/16"], serviceNodePortRange: "30000-39999" };
  const modules = { ...shared, ...ranges, stores: lazy.stores, sharedStore: kv } as unknown as RegistryModules;
  const resources = { stored: [services(modules), endpoints, ipAddresses, serviceCIDRs], virtual: [] };
  const stores = await createStores({ ...shared, kv, resources: resources as never, schemaFor, admission: [] });
  lazy.set(stores);
  const context = { ...loopbackContext(), info: resolveRequestInfo("POST", PATH, new URLSearchParams()) };
  const store = stores.of<Service>("", "services");
  const make = async (name: string, as: Service["spec"]["type"]): Promise<unknown> => {
    const spec = { type: as, ports: [{ port: 80 }] };
    return store.create({ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "ns" }, spec } as Service, context);
  };
  for (let i = 0; i < size; i++) await make(`s${i}`, type);
  return async () => {
    for (let i = 0; i < CHANGES; i++) await make(`new${i}`, "NodePort");
    for (let i = 0; i < CHANGES; i++) await store.delete("ns", `new${i}`, {}, context);
    return CHANGES;
  };
}

test.each([
  // Measured: 0.9. When all Services are listed for each, 7.
  { name: "that have none", type: "ClusterIP", many: 10_000, most: 4 },
  // Measured: 1. When all that are taken are gone through, 9; when all Services are listed, too, 13.
  { name: "that have one", type: "NodePort", many: 5_000, most: 4 },
] as const)(
  "a Service with a node port costs little more among $many others $name than among 100",
  async ({ type, many, most }) => {
    expect(await costRatio(await making(many, type), await making(100, type))).toBeLessThan(most);
  },
  60_000,
);
