import type { UserInfo } from "../request/request-info.ts";
import type { RbacBinding, RbacSource, RbacSubject } from "./rbac-source.ts";

/** A binding that names a user, and the subject that does so. */
export interface BindingMatch {
  readonly binding: RbacBinding;
  readonly subject: RbacSubject;
}

interface Ordered extends BindingMatch {
  /** Position among all bindings of its scope: the order in which upstream looks at them. */
  readonly order: number;
}

/** Bindings by subject (`u:name`, `g:name`), cluster-wide under the empty namespace. Built anew when a binding changes. */
export class BindingIndex {
  readonly #source: RbacSource;
  #version: unknown;
  #byNamespace = new Map<string, Map<string, Ordered[]>>();

  constructor(source: RbacSource) {
    this.#source = source;
  }

  /** The bindings of a namespace (empty for cluster-wide) that name the user or one of its groups, in order. */
  find(namespace: string, user: UserInfo): readonly BindingMatch[] {
    this.#refresh();
    const subjects = this.#byNamespace.get(namespace);
    if (subjects === undefined) return [];
    const found: Ordered[] = [...(subjects.get(`u:${user.name}`) ?? [])];
    for (const group of user.groups) found.push(...(subjects.get(`g:${group}`) ?? []));
    if (found.length < 2) return found;
    found.sort((a, b) => a.order - b.order);
    // A binding counts once, by the first of its subjects that applies.
    return found.filter((match, i) => i === 0 || found[i - 1]?.binding !== match.binding);
  }

  #refresh(): void {
    const version = this.#source.version();
    if (version === this.#version) return;
    this.#byNamespace = new Map();
    for (const [order, binding] of this.#source.clusterRoleBindings().entries()) this.#add("", binding, order);
    for (const [order, binding] of this.#source.roleBindings().entries())
      this.#add(binding.metadata.namespace ?? "", binding, order);
    this.#version = version;
  }

  #add(namespace: string, binding: RbacBinding, bindingOrder: number): void {
    let subjects = this.#byNamespace.get(namespace);
    if (subjects === undefined) {
      subjects = new Map();
      this.#byNamespace.set(namespace, subjects);
    }
    const all = binding.subjects ?? [];
    for (const [position, subject] of all.entries()) {
      const key = subjectKey(subject, namespace);
      if (key === undefined) continue;
      const match = { binding, subject, order: bindingOrder + position / (all.length + 1) };
      const list = subjects.get(key);
      if (list === undefined) subjects.set(key, [match]);
      else list.push(match);
    }
  }
}

function subjectKey(subject: RbacSubject, bindingNamespace: string): string | undefined {
  if (subject.kind === "User") return `u:${subject.name}`;
  if (subject.kind === "Group") return `g:${subject.name}`;
  const namespace = subject.namespace || bindingNamespace;
  return subject.kind === "ServiceAccount" && namespace !== ""
    ? `u:system:serviceaccount:${namespace}:${subject.name}`
    : undefined;
}
