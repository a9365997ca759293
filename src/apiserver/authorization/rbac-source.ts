import type { PolicyRule } from "./policy-rule.ts";

/** Whom a binding names. */
export interface RbacSubject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** A RoleBinding or ClusterRoleBinding. */
export interface RbacBinding {
  readonly metadata: { readonly name?: string; readonly namespace?: string };
  readonly subjects?: readonly RbacSubject[] | null;
  readonly roleRef: { readonly kind: string; readonly name: string };
}

/** Where the RBAC authorizer gets its objects from: caches in this process, or anything like them. */
export interface RbacSource {
  /** Equal values mean that no binding has changed. */
  readonly version: () => unknown;
  /** Equal values mean that neither a binding nor a role has changed. */
  readonly rulesVersion: () => unknown;
  readonly clusterRoleBindings: () => readonly RbacBinding[];
  readonly roleBindings: () => readonly RbacBinding[];
  /** Undefined when there is no such role. `namespace` is empty for a ClusterRole. */
  readonly rules: (namespace: string, name: string) => readonly PolicyRule[] | undefined;
}
