import { expect, test } from "vitest";
import type { IPAddress, ServiceCIDR } from "#api/generated/networking/v1.ts";
import { serviceCidrController } from "#kube-controller-manager/controllers/service-cidr/controller.ts";
import { SERVICE_CIDR_FINALIZER } from "#kube-controller-manager/controllers/service-cidr/reconcile.ts";
import { IP_ADDRESSES, SERVICE_CIDRS } from "#kube-controller-manager/framework/resources.ts";
import { CHANGES, costAmongMany, type Setup, until } from "./controlled.ts";

const LABELS = { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" };

/** Addresses of a ServiceCIDR that is to go are given back one by one, among those of another that stays. */
const cidrThatGoes: Setup = async (size, controlled) => {
  const { client } = controlled;
  const metadata = { name: "going", finalizers: [SERVICE_CIDR_FINALIZER] };
  await client.create<ServiceCIDR>(SERVICE_CIDRS, "", { metadata, spec: { cidrs: ["10.1.0.0/24"] } });
  await client.create<ServiceCIDR>(SERVICE_CIDRS, "", { metadata: { name: "stays" }, spec: { cidrs: ["10.0.0.0/16"] } });
  const give = (name: string): Promise<unknown> => {
    const spec = { parentRef: { resource: "services", namespace: "ns", name: "s" } };
    return client.create<IPAddress>(IP_ADDRESSES, "", { metadata: { name, labels: LABELS }, spec });
  };
  for (let i = 0; i < size; i++) await give(`10.0.${i >> 8}.${i & 255}`);
  for (let i = 0; i <= CHANGES; i++) await give(`10.1.0.${i}`);
  await controlled.start(serviceCidrController);
  await client.delete(SERVICE_CIDRS, "", "going");
  const held = async (): Promise<boolean> => {
    const { status } = await client.get<ServiceCIDR>(SERVICE_CIDRS, "", "going");
    return status?.conditions?.some(({ reason }) => reason === "Terminating") === true;
  };
  await until(held);
  return async () => {
    for (let i = 0; i < CHANGES; i++) {
      const before = controlled.looks;
      await client.delete(IP_ADDRESSES, "", `10.1.0.${i}`);
      await until(() => controlled.looks > before);
    }
    for (let i = 0; i < CHANGES; i++) await give(`10.1.0.${i}`);
    return CHANGES;
  };
};

// Measured: 1 to 1.5. When all addresses are looked at again, 12.
test("an address that is given back costs a ServiceCIDR that is to go among 10,000 little more than among 200", async () => {
  expect(await costAmongMany(cidrThatGoes, 200, 10_000)).toBeLessThan(5);
}, 60_000);
