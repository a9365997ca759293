import { expect, test } from "vitest";
import { type Random, seededRandom } from "#base/random.ts";
import { OrderedTree } from "#storage/memory/ordered-tree.ts";
import type { UserInfo } from "../request/request-info.ts";
import { BindingIndex } from "./binding-index.ts";
import type { RbacBinding, RbacSource, RbacSubject } from "./rbac-source.ts";

type Bindings = OrderedTree<RbacBinding>;

function sourceOf(bindings: () => Bindings): RbacSource {
  const followBindings: RbacSource["followBindings"] = () => {
    let seen: Bindings = new OrderedTree();
    return () => {
      const changes = bindings().changesSince(seen);
      seen = bindings();
      return changes.map(({ key, value }) => ({ place: key, binding: value }));
    };
  };
  return { followBindings, rulesVersion: bindings, rules: () => [] };
}

function subject(random: Random): RbacSubject {
  const name = `s${random.int(3)}`;
  const namespace = ["", "a", "b"][random.int(3)] ?? "";
  const named = { kind: ["User", "Group", "ServiceAccount", "Robot"][random.int(4)] ?? "", name };
  return namespace === "" ? named : { ...named, namespace };
}

function binding(random: Random, namespace: string, name: string): RbacBinding {
  const subjects = Array.from({ length: random.int(4) }, () => subject(random));
  const metadata = namespace === "" ? { name } : { name, namespace };
  return { metadata, roleRef: { kind: "ClusterRole", name: "r" }, subjects: random.int(20) === 0 ? null : subjects };
}

const USERS: readonly UserInfo[] = [
  { name: "s0", uid: "", groups: [], extra: {} },
  { name: "s1", uid: "", groups: ["s0", "s1"], extra: {} },
  { name: "system:serviceaccount:a:s0", uid: "", groups: ["s2", "s1", "s2"], extra: {} },
  { name: "nobody", uid: "", groups: ["s0"], extra: {} },
];

/** What upstream's resolver finds (`VisitRulesFor`): the bindings in order, each by the first subject that applies. */
function sought(bindings: Bindings, namespace: string, user: UserInfo): object[] {
  const applies = ({ kind, name, namespace: own }: RbacSubject): boolean => {
    if (kind === "User") return user.name === name;
    if (kind === "Group") return user.groups.includes(name);
    const lies = own || namespace;
    return kind === "ServiceAccount" && lies !== "" && user.name === `system:serviceaccount:${lies}:${name}`;
  };
  return bindings.range("", undefined).flatMap((known) => {
    if ((known.metadata.namespace ?? "") !== namespace) return [];
    const found = known.subjects?.find(applies);
    return found === undefined ? [] : [{ binding: known, subject: found }];
  });
}

test.each([1, 2, 3, 4])("an index that follows changes finds what all bindings say, in their order (seed %i)", (seed) => {
  const random = seededRandom(seed);
  let bindings: Bindings = new OrderedTree();
  const index = new BindingIndex(sourceOf(() => bindings));
  for (let round = 0; round < 150; round++) {
    for (let change = random.int(4); change >= 0; change--) {
      const namespace = ["", "a", "b"][random.int(3)] ?? "";
      const name = `b${random.int(40)}`;
      const place = `${namespace}/${name}`;
      const goes = random.float() < (round < 100 ? 0.3 : 0.8);
      bindings = goes ? bindings.without(place) : bindings.with(place, binding(random, namespace, name));
    }
    const fresh = new BindingIndex(sourceOf(() => bindings));
    for (const namespace of ["", "a", "b", "c"]) {
      for (const user of USERS) {
        const want = sought(bindings, namespace, user);
        expect(index.find(namespace, user).map(({ binding: of, subject: by }) => ({ binding: of, subject: by }))).toEqual(want);
        expect(index.find(namespace, user)).toEqual(fresh.find(namespace, user));
      }
    }
  }
});
