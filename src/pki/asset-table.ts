import type { LeafRequest } from "./certificate.ts";

/** A certificate authority of the cluster, kept as `FILE.pem` and `FILE-key.pem`. */
export interface AuthorityRow {
  readonly file: string;
  readonly commonName: string;
}

/** A certificate of a member of the cluster, kept as `FILE.pem` and `FILE-key.pem`. */
export interface LeafRow {
  readonly file: string;
  /** The authority that signs it, by its file. */
  readonly authority: AuthorityName;
  readonly request: LeafRequest;
  /** It also answers to the API server's names and addresses. */
  readonly servesApi?: boolean;
}

/** An authority, by its file. */
export type AuthorityName = "ca" | "front-proxy-ca" | "etcd-ca";

/** Who signs what, by file. */
export const AUTHORITIES: Readonly<Record<AuthorityName, AuthorityRow>> = {
  ca: { file: "ca", commonName: "kubernetes" },
  "front-proxy-ca": { file: "front-proxy-ca", commonName: "front-proxy-ca" },
  // Of clusters on an etcd of their own; others have none.
  "etcd-ca": { file: "etcd-ca", commonName: "etcd-ca" },
};

const client = (commonName: string, ...organizations: string[]): LeafRequest => ({
  commonName,
  organizations,
  usages: ["client"],
});

/** What the program knows a certificate by. */
export type LeafName = "apiserver" | "kubeletClient" | "admin" | "controllerManager" | "scheduler" | "frontProxyClient";

/** A certificate of a cluster that keeps its state itself, and has no authority for etcd. */
export type ClusterLeafRow = LeafRow & { readonly authority: Exclude<AuthorityName, "etcd-ca"> };

/** Every certificate that a cluster needs. */
export const LEAVES: Readonly<Record<LeafName, ClusterLeafRow>> = {
  apiserver: {
    file: "apiserver",
    authority: "ca",
    request: { commonName: "kube-apiserver", usages: ["server", "client"] },
    servesApi: true,
  },
  kubeletClient: {
    file: "apiserver-kubelet-client",
    authority: "ca",
    request: client("kube-apiserver-kubelet-client", "system:masters"),
  },
  admin: { file: "admin", authority: "ca", request: client("kubernetes-admin", "system:masters") },
  controllerManager: { file: "controller-manager", authority: "ca", request: client("system:kube-controller-manager") },
  scheduler: { file: "scheduler", authority: "ca", request: client("system:kube-scheduler") },
  frontProxyClient: { file: "front-proxy-client", authority: "front-proxy-ca", request: client("front-proxy-client") },
};
