import type { Role, RoleBinding, Subject } from "#api/generated/rbac/v1.ts";
import { bootstrapMeta } from "./bootstrap-meta.ts";
import { serviceAccount, user } from "./cluster-role-bindings.ts";
import { parseRule } from "./cluster-roles.ts";

const RBAC = "rbac.authorization.k8s.io";
const EVENTS = "create,patch,update core,events.k8s.io events";
const LEASES = [
  "create,get,list,update,watch coordination.k8s.io leases",
  "create,get,list,update,watch coordination.k8s.io leasecandidates",
];

/** Namespace, name, and rules in the form of the cluster role table. */
const ROLES: readonly (readonly [namespace: string, name: string, ...rules: string[]])[] = [
  [
    "kube-system",
    "extension-apiserver-authentication-reader",
    "get,list,watch core configmaps extension-apiserver-authentication",
  ],
  ["kube-system", "system:controller:bootstrap-signer", "get,list,watch core secrets"],
  ["kube-system", "system:controller:cloud-provider", "create,get,list,watch core configmaps"],
  ["kube-system", "system:controller:token-cleaner", "delete,get,list,watch core secrets", EVENTS],
  ["kube-system", "system::leader-locking-kube-controller-manager", ...LEASES],
  ["kube-system", "system::leader-locking-kube-scheduler", ...LEASES],
  [
    "kube-public",
    "system:controller:bootstrap-signer",
    "get,list,watch core configmaps",
    "update core configmaps cluster-info",
    EVENTS,
  ],
];

const MANAGER = user("system:kube-controller-manager");
const SCHEDULER = user("system:kube-scheduler");

/** Namespace, name, role, and subjects. */
const BINDINGS: readonly (readonly [namespace: string, name: string, role: string, ...subjects: Subject[]])[] = [
  [
    "kube-system",
    "system::extension-apiserver-authentication-reader",
    "extension-apiserver-authentication-reader",
    MANAGER,
    SCHEDULER,
  ],
  [
    "kube-system",
    "system::leader-locking-kube-controller-manager",
    "system::leader-locking-kube-controller-manager",
    MANAGER,
    serviceAccount("kube-controller-manager"),
  ],
  [
    "kube-system",
    "system::leader-locking-kube-scheduler",
    "system::leader-locking-kube-scheduler",
    SCHEDULER,
    serviceAccount("kube-scheduler"),
  ],
  ["kube-system", "system:controller:bootstrap-signer", "system:controller:bootstrap-signer", serviceAccount("bootstrap-signer")],
  ["kube-system", "system:controller:cloud-provider", "system:controller:cloud-provider", serviceAccount("cloud-provider")],
  ["kube-system", "system:controller:token-cleaner", "system:controller:token-cleaner", serviceAccount("token-cleaner")],
  ["kube-public", "system:controller:bootstrap-signer", "system:controller:bootstrap-signer", serviceAccount("bootstrap-signer")],
];

/** Upstream's default roles in kube-system and kube-public. */
export function defaultRoles(): Role[] {
  return ROLES.map(([namespace, name, ...rules]) => ({
    apiVersion: `${RBAC}/v1`,
    kind: "Role",
    metadata: bootstrapMeta(name, {}, namespace),
    rules: rules.map(parseRule),
  }));
}

/** Upstream's default role bindings in kube-system and kube-public. */
export function defaultRoleBindings(): RoleBinding[] {
  return BINDINGS.map(([namespace, name, role, ...subjects]) => ({
    apiVersion: `${RBAC}/v1`,
    kind: "RoleBinding",
    metadata: bootstrapMeta(name, {}, namespace),
    roleRef: { apiGroup: RBAC, kind: "Role", name: role },
    subjects,
  }));
}
