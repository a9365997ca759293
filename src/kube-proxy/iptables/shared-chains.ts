/** A table of iptables that the proxy writes to. */
export type Table = "filter" | "nat";

/** Names of the chains that all Services share. */
export const SERVICES = "KUBE-SERVICES";
export const EXTERNAL_SERVICES = "KUBE-EXTERNAL-SERVICES";
export const NODE_PORTS = "KUBE-NODEPORTS";
export const POSTROUTING = "KUBE-POSTROUTING";
export const MARK_MASQ = "KUBE-MARK-MASQ";
export const FORWARD = "KUBE-FORWARD";
export const PROXY_FIREWALL = "KUBE-PROXY-FIREWALL";
/** The kubelet makes it too, with the same rule. */
export const FIREWALL = "KUBE-FIREWALL";
/** Empty; where it is gone, somebody has cleared the tables. */
export const CANARY = "KUBE-PROXY-CANARY";

/** Whether a chain is one of those that only the proxy makes. */
export function isProxyChain(name: string): boolean {
  return [SERVICES, EXTERNAL_SERVICES, NODE_PORTS, POSTROUTING, MARK_MASQ, FORWARD, PROXY_FIREWALL, CANARY].includes(name);
}

/** The tables that have a canary. */
export const CANARY_TABLES = ["mangle", "nat", "filter"] as const;

/** Chains whose rules come from Services, with their tables. */
export const DISPATCH_CHAINS: readonly (readonly [Table, string])[] = [
  ["filter", SERVICES],
  ["filter", EXTERNAL_SERVICES],
  ["filter", NODE_PORTS],
  ["filter", PROXY_FIREWALL],
  ["nat", SERVICES],
  ["nat", NODE_PORTS],
];

/** A rule of a chain of the kernel's that leads to one of ours. */
export interface Jump {
  readonly table: Table;
  readonly from: string;
  readonly to: string;
  /** Empty for none. */
  readonly comment: string;
  readonly onlyNew: boolean;
}

const PORTALS = "kubernetes service portals";
const OUTER_PORTALS = "kubernetes externally-visible service portals";
const BALANCERS = "kubernetes load balancer firewall";

/** In the order in which each is put in front of what is there. */
export const JUMPS: readonly Jump[] = [
  { table: "filter", from: "INPUT", to: EXTERNAL_SERVICES, comment: OUTER_PORTALS, onlyNew: true },
  { table: "filter", from: "FORWARD", to: EXTERNAL_SERVICES, comment: OUTER_PORTALS, onlyNew: true },
  { table: "filter", from: "INPUT", to: NODE_PORTS, comment: "kubernetes health check service ports", onlyNew: false },
  { table: "filter", from: "FORWARD", to: SERVICES, comment: PORTALS, onlyNew: true },
  { table: "filter", from: "OUTPUT", to: SERVICES, comment: PORTALS, onlyNew: true },
  { table: "filter", from: "FORWARD", to: FORWARD, comment: "kubernetes forwarding rules", onlyNew: false },
  { table: "filter", from: "INPUT", to: PROXY_FIREWALL, comment: BALANCERS, onlyNew: true },
  { table: "filter", from: "OUTPUT", to: PROXY_FIREWALL, comment: BALANCERS, onlyNew: true },
  { table: "filter", from: "FORWARD", to: PROXY_FIREWALL, comment: BALANCERS, onlyNew: true },
  { table: "nat", from: "OUTPUT", to: SERVICES, comment: PORTALS, onlyNew: false },
  { table: "nat", from: "PREROUTING", to: SERVICES, comment: PORTALS, onlyNew: false },
  { table: "nat", from: "POSTROUTING", to: POSTROUTING, comment: "kubernetes postrouting rules", onlyNew: false },
  { table: "filter", from: "INPUT", to: FIREWALL, comment: "", onlyNew: false },
  { table: "filter", from: "OUTPUT", to: FIREWALL, comment: "", onlyNew: false },
];

/** The rule's arguments behind the name of its chain, as `iptables-save` writes them. */
export function jumpRule({ to, comment, onlyNew }: Jump): string {
  const state = onlyNew ? "-m conntrack --ctstate NEW " : "";
  return `${state}${comment === "" ? "" : `-m comment --comment "${comment}" `}-j ${to}`;
}
