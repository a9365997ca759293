import type { ServiceSpec } from "#api/generated/core/v1.ts";
import type { Endpoint } from "#api/generated/discovery/v1.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { FakeClient, type FakeResource } from "#client/fake-client.ts";
import { ADDRESSES, type Machine } from "./proxy-lab.ts";

const SERVICES: ResourceId = { group: "", version: "v1", resource: "services" };
const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
const EVENTS: ResourceId = { group: "events.k8s.io", version: "v1", resource: "events" };
const SLICES: ResourceId = { group: "discovery.k8s.io", version: "v1", resource: "endpointslices" };
const NETWORKS: ResourceId = { group: "networking.k8s.io", version: "v1", resource: "servicecidrs" };
const RESOURCES: readonly FakeResource[] = [
  { id: SERVICES, kind: "Service", namespaced: true },
  { id: NODES, kind: "Node", namespaced: false },
  { id: EVENTS, kind: "Event", namespaced: true },
  { id: SLICES, kind: "EndpointSlice", namespaced: true },
  { id: NETWORKS, kind: "ServiceCIDR", namespaced: false },
];
const NAMESPACE = "default";
const FAMILIES = ["IPv4", "IPv6"] as const;
/** Where the endpoints of tests listen. */
export const TARGET_PORT = 8080;
/** The name of the machine whose rules are tested, and its zone. */
export const NODE = "node";
export const ZONE = "zone-a";

/** A Service of a test, with addresses of its own. */
export interface Made {
  readonly name: string;
  readonly IPv4: string;
  readonly IPv6: string;
  /** Nobody else's, whether it is asked for or not. */
  readonly nodePort: number;
}

/** What is said of an endpoint beside its address. */
export type Told = Partial<Pick<Endpoint, "conditions" | "hints">>;

/** An API with Services and their endpoints, of both families, written as a controller and an allocator would. */
export class ProxiedCluster {
  readonly client: FakeClient = new FakeClient({ resources: RESOURCES, clock: realClock, random: systemRandom });
  readonly #made: Made[] = [];
  #count = 0;

  /** The node of {@link NODE}, as its kubelet would have it, and the networks of Services. */
  async start(): Promise<void> {
    await this.client.create(NODES, "", {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: NODE, labels: { "topology.kubernetes.io/zone": ZONE } },
      status: { addresses: FAMILIES.map((family) => ({ type: "InternalIP", address: ADDRESSES.node[family] })) },
    });
    const spec = { cidrs: ["10.96.0.0/16", "fd96::/112"] };
    await this.client.create(NETWORKS, "", { apiVersion: "v1", kind: "ServiceCIDR", metadata: { name: "kubernetes" }, spec });
  }

  /** Makes a Service of both families; `ports` are port 80 to {@link TARGET_PORT} unless the spec says otherwise. */
  async service(spec: Partial<ServiceSpec> = {}, labels: Readonly<Record<string, string>> = {}): Promise<Made> {
    const n = ++this.#count;
    const nodePort = 30_000 + n;
    const made = { name: `service-${n}`, IPv4: `10.96.${n >> 8}.${n & 255}`, IPv6: `fd96::${n.toString(16)}`, nodePort };
    this.#made.push(made);
    await this.client.create(SERVICES, NAMESPACE, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: made.name, labels },
      spec: {
        clusterIP: made.IPv4,
        clusterIPs: [made.IPv4, made.IPv6],
        ...spec,
        ports: (spec.ports ?? [{ port: 80 }]).map((port) => ({
          protocol: "TCP",
          ...(spec.type === "NodePort" || spec.type === "LoadBalancer" ? { nodePort } : {}),
          ...port,
        })),
      },
    });
    return made;
  }

  /** Changes the spec of a Service. */
  async update({ name }: Made, spec: Partial<Record<keyof ServiceSpec, unknown>>): Promise<void> {
    await this.client.patch(SERVICES, NAMESPACE, name, "application/merge-patch+json", { spec });
  }

  /** Gives a Service addresses of a load balancer: one that sends packets on as they are, or a `Proxy`. */
  async balance({ name }: Made, addresses: readonly string[], ipMode: "VIP" | "Proxy" = "VIP"): Promise<void> {
    const patch = { status: { loadBalancer: { ingress: addresses.map((ip) => ({ ip, ipMode })) } } };
    await this.client.patch(SERVICES, NAMESPACE, name, "application/merge-patch+json", patch, { subresource: "status" });
  }

  /** Says what stands behind a port of a Service. */
  async endpoints(
    { name }: Made,
    where: Partial<Record<"pod1" | "pod2" | "far", Told>>,
    target: { readonly port?: number; readonly protocol?: string; readonly portName?: string } = {},
  ): Promise<void> {
    const { port = TARGET_PORT, protocol = "TCP", portName = "" } = target;
    for (const family of FAMILIES) {
      const slice = `${name}-${family.toLowerCase()}-${protocol.toLowerCase()}${portName}`;
      const content = {
        addressType: family,
        ports: [{ name: portName, port, protocol }],
        endpoints: Object.entries(where).map(([machine, told]) => ({
          addresses: [ADDRESSES[machine as Machine][family]],
          nodeName: machine === "far" ? "far" : NODE,
          conditions: { ready: true },
          ...told,
        })),
      };
      const metadata = { name: slice, labels: { "kubernetes.io/service-name": name } };
      const object = { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata, ...content };
      await this.client.create(SLICES, NAMESPACE, object).catch(async () => {
        await this.client.patch(SLICES, NAMESPACE, slice, "application/merge-patch+json", content);
      });
    }
  }

  /** Removes a Service with its slices. */
  async remove({ name }: Made): Promise<void> {
    await this.client.delete(SERVICES, NAMESPACE, name);
    const { items } = await this.client.list(SLICES, NAMESPACE, { labelSelector: `kubernetes.io/service-name=${name}` });
    for (const { metadata } of items) await this.client.delete(SLICES, NAMESPACE, metadata.name ?? "");
  }

  /** Removes all that is there still. */
  async clear(): Promise<void> {
    for (const made of this.#made.splice(0)) await this.remove(made).catch(() => {});
  }
}
