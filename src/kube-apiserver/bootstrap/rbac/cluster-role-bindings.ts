import type { ClusterRoleBinding, Subject } from "#api/generated/rbac/v1.ts";
import { bootstrapMeta } from "./bootstrap-meta.ts";

const RBAC = "rbac.authorization.k8s.io";

/** A user as a binding's subject. */
export function user(name: string): Subject {
  return { kind: "User", apiGroup: RBAC, name };
}
/** A service account as a binding's subject. */
export function serviceAccount(name: string, namespace = "kube-system"): Subject {
  return { kind: "ServiceAccount", namespace, name };
}
function group(name: string): Subject {
  return { kind: "Group", apiGroup: RBAC, name };
}

/** Bindings to the cluster role of the same name. */
const BINDINGS: readonly (readonly [role: string, ...subjects: Subject[]])[] = [
  ["cluster-admin", group("system:masters")],
  ["system:monitoring", group("system:monitoring")],
  ["system:discovery", group("system:authenticated")],
  ["system:basic-user", group("system:authenticated")],
  ["system:public-info-viewer", group("system:authenticated"), group("system:unauthenticated")],
  ["system:well-known-info-viewer", group("system:authenticated"), group("system:unauthenticated")],
  ["system:node-proxier", user("system:kube-proxy")],
  ["system:kube-controller-manager", user("system:kube-controller-manager")],
  ["system:kube-dns", serviceAccount("kube-dns")],
  ["system:kube-scheduler", user("system:kube-scheduler")],
  ["system:volume-scheduler", user("system:kube-scheduler")],
  ["system:service-account-issuer-discovery", group("system:serviceaccounts")],
  ["system:node"],
];

/** Upstream's default cluster role bindings; each controller's role is bound to its service account. */
export function defaultClusterRoleBindings(roleNames: readonly string[]): ClusterRoleBinding[] {
  const controllers = roleNames
    .filter((name) => name.startsWith("system:controller:"))
    .map((name) => [name, serviceAccount(name.slice("system:controller:".length))] as const);
  return [...BINDINGS, ...controllers].map(([role, ...subjects]) => ({
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRoleBinding",
    metadata: bootstrapMeta(role),
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: role },
    ...(subjects.length > 0 ? { subjects } : {}),
  }));
}
