import type { UserInfo } from "../request/request-info.ts";
import type { BindingChange, RbacBinding, RbacSource, RbacSubject } from "./rbac-source.ts";

/** A binding that names a user, and the subject that does so. */
export interface BindingMatch {
  readonly binding: RbacBinding;
  readonly subject: RbacSubject;
}

interface Placed extends BindingMatch {
  /** The binding's place among all of its scope: the order in which upstream looks at them. */
  readonly place: string;
  /** The subject's among the binding's. */
  readonly position: number;
}

/** The bindings that name one subject, in order, each once. */
type Share = Placed[];

const NOTHING: readonly BindingMatch[] = [];

/** Bindings by subject (`u:name`, `g:name`), cluster-wide under the empty namespace. Follows the bindings that change, and looks at no others. */
export class BindingIndex {
  readonly #source: RbacSource;
  #changes: (() => readonly BindingChange[]) | undefined;
  readonly #bindings = new Map<string, RbacBinding>();
  readonly #byNamespace = new Map<string, Map<string, Share>>();

  constructor(source: RbacSource) {
    this.#source = source;
  }

  /** The bindings of a namespace (empty for cluster-wide) that name the user or one of its groups, in order. Good until the next call. */
  find(namespace: string, user: UserInfo): readonly BindingMatch[] {
    this.#refresh();
    const subjects = this.#byNamespace.get(namespace);
    if (subjects === undefined) return NOTHING;
    const shares: Share[] = [];
    for (const key of [`u:${user.name}`, ...user.groups.map((group) => `g:${group}`)]) {
      const share = subjects.get(key);
      if (share !== undefined) shares.push(share);
    }
    if (shares.length < 2) return shares[0] ?? NOTHING;
    const found = shares.flat().sort(compare);
    // A binding counts once, by the first of its subjects that applies.
    return found.filter((match, i) => i === 0 || found[i - 1]?.binding !== match.binding);
  }

  #refresh(): void {
    this.#changes ??= this.#source.followBindings();
    for (const { place, binding } of this.#changes()) {
      const before = this.#bindings.get(place);
      if (before !== undefined) this.#remove(place, before);
      if (binding !== undefined) this.#add(place, binding);
    }
  }

  #add(place: string, binding: RbacBinding): void {
    this.#bindings.set(place, binding);
    const namespace = binding.metadata.namespace ?? "";
    let subjects = this.#byNamespace.get(namespace);
    if (subjects === undefined) {
      subjects = new Map();
      this.#byNamespace.set(namespace, subjects);
    }
    for (const [key, { subject, position }] of subjectsOf(binding)) {
      const match = { binding, subject, place, position };
      const share = subjects.get(key);
      if (share === undefined) subjects.set(key, [match]);
      else share.splice(indexIn(share, place), 0, match);
    }
  }

  #remove(place: string, binding: RbacBinding): void {
    this.#bindings.delete(place);
    const namespace = binding.metadata.namespace ?? "";
    const subjects = this.#byNamespace.get(namespace);
    if (subjects === undefined) return;
    for (const key of subjectsOf(binding).keys()) {
      const share = subjects.get(key);
      if (share === undefined) continue;
      share.splice(indexIn(share, place), 1);
      if (share.length === 0) subjects.delete(key);
    }
    if (subjects.size === 0) this.#byNamespace.delete(namespace);
  }
}

/** Under what the binding is found: of subjects that are the same the first. */
function subjectsOf({ metadata, subjects }: RbacBinding): Map<string, Pick<Placed, "subject" | "position">> {
  const found = new Map<string, Pick<Placed, "subject" | "position">>();
  for (const [position, subject] of (subjects ?? []).entries()) {
    const key = subjectKey(subject, metadata.namespace ?? "");
    if (key !== undefined && !found.has(key)) found.set(key, { subject, position });
  }
  return found;
}

/** Where in the share the binding of that place is, or is to be. */
function indexIn(share: Share, place: string): number {
  let low = 0;
  let high = share.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((share[middle] as Placed).place < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compare(a: Placed, b: Placed): number {
  if (a.place === b.place) return a.position - b.position;
  return a.place < b.place ? -1 : 1;
}

function subjectKey(subject: RbacSubject, bindingNamespace: string): string | undefined {
  if (subject.kind === "User") return `u:${subject.name}`;
  if (subject.kind === "Group") return `g:${subject.name}`;
  const namespace = subject.namespace || bindingNamespace;
  return subject.kind === "ServiceAccount" && namespace !== ""
    ? `u:system:serviceaccount:${namespace}:${subject.name}`
    : undefined;
}
