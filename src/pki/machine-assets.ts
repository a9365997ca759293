import { isIP } from "node:net";
import type { AuthorityName, LeafRow } from "./asset-table.ts";
import type { LeafRequest } from "./certificate.ts";

/** A machine of a cluster. */
export interface Machine {
  /** Its host name, best with its domain. */
  readonly name: string;
  readonly addresses: readonly string[];
}

/** Machines that assets are made for. */
export interface Machines {
  readonly masters: readonly Machine[];
  readonly workers: readonly Machine[];
  /** Further names and addresses that API servers are reached by, such as a load balancer's. */
  readonly hosts: readonly string[];
  /** First address of the Services' range. */
  readonly serviceIp: string;
  readonly clusterDomain: string;
}

const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "::1"];

const client = (commonName: string, ...organizations: string[]): LeafRequest => ({
  commonName,
  organizations,
  usages: ["client"],
});

const server = (commonName: string, hosts: readonly string[]): LeafRequest => ({
  commonName,
  usages: ["server", "client"],
  hosts: [...new Set(hosts)],
});

const leaf = (file: string, request: LeafRequest, authority: AuthorityName = "ca"): LeafRow => ({ file, authority, request });

const namesOf = (machines: readonly Machine[]): string[] => machines.flatMap(({ name, addresses }) => [name, ...addresses]);

/** The file of what a node proves itself with to the API server. */
export const nodeFile = (name: string): string => `${name}-node`;

/**
 * The certificates of a cluster of several machines, under the names that guides give their files: `kubernetes` is for guides in
 * which API servers and etcd share one, and `NAME-worker` is a worker's of its plain name; by `NAME-node` it is one of
 * `system:nodes`, as the Node authorizer wants it.
 */
export function machineLeaves(machines: Machines): readonly LeafRow[] {
  const { masters, workers, hosts, serviceIp, clusterDomain } = machines;
  const apiHosts = [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    `kubernetes.default.svc.${clusterDomain}`,
    ...LOOPBACK,
    serviceIp,
    ...namesOf(masters),
    ...hosts,
  ];
  const etcdHosts = [...LOOPBACK, ...namesOf(masters)];
  return [
    leaf("apiserver", server("kube-apiserver", apiHosts)),
    // Not by the authority's own name: it would be taken for one that signed itself.
    leaf("kubernetes", server("kube-apiserver", apiHosts)),
    leaf("apiserver-kubelet-client", client("kube-apiserver-kubelet-client", "system:masters")),
    leaf("admin", client("kubernetes-admin", "system:masters")),
    leaf("controller-manager", client("system:kube-controller-manager")),
    leaf("scheduler", client("system:kube-scheduler")),
    leaf("kube-proxy", client("system:kube-proxy", "system:node-proxier")),
    leaf("front-proxy-client", client("front-proxy-client"), "front-proxy-ca"),
    leaf("etcd-server", server("kube-etcd", etcdHosts), "etcd-ca"),
    leaf("etcd-peer", server("kube-etcd-peer", etcdHosts), "etcd-ca"),
    leaf("apiserver-etcd-client", client("kube-apiserver-etcd-client"), "etcd-ca"),
    ...workers.map((worker) => leaf(`${worker.name}-worker`, server(worker.name, namesOf([worker])))),
    ...[...masters, ...workers].map((one) => leaf(nodeFile(one.name), client(`system:node:${one.name}`, "system:nodes"))),
  ];
}

/** Reads `NAME=ADDRESS`; a name that comes again has several. Throws a text that says what is wrong. */
export function machinesOf(flag: string, texts: readonly string[]): Machine[] {
  const machines = new Map<string, string[]>();
  for (const text of texts) {
    const [name = "", address = "", ...more] = text.split("=");
    if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) || isIP(address) === 0 || more.length > 0) {
      throw new RangeError(`${flag} takes NAME=ADDRESS, such as master-1=10.0.0.1, not "${text}"`);
    }
    machines.set(name, [...(machines.get(name) ?? []), address]);
  }
  return [...machines].map(([name, addresses]) => ({ name, addresses }));
}
