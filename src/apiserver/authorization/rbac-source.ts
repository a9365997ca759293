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

/** What became of one binding. */
export interface BindingChange {
  /** Its place, by JavaScript's `<`, in the order in which those of its scope are looked at. Every binding has its own, and keeps it. */
  readonly place: string;
  /** Undefined when it is gone. */
  readonly binding: RbacBinding | undefined;
}

/** Where the RBAC authorizer gets its objects from: caches in this process, or anything like them. */
export interface RbacSource {
  /** The function given tells, whenever it is called, what has changed since it was called before; at first all bindings. */
  readonly followBindings: () => () => readonly BindingChange[];
  /** Equal values mean that neither a binding nor a role has changed. */
  readonly rulesVersion: () => unknown;
  /** Undefined when there is no such role. `namespace` is empty for a ClusterRole. */
  readonly rules: (namespace: string, name: string) => readonly PolicyRule[] | undefined;
}
