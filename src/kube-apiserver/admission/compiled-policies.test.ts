import { beforeEach, describe, expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { CompiledPolicies } from "./compiled-policies.ts";

const object = (name: string, generation = 1, uid = `uid of ${name}`): ApiObject => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "Any",
  metadata: { name, uid, generation },
});

describe("of policies is compiled again", () => {
  const policies = ["a", "b"].map((name) => object(name));
  const [forA, forB] = [object("for a"), object("for b")];
  const bound = (ofA: readonly ApiObject[] = [forA]): Map<string, readonly ApiObject[]> =>
    new Map([
      ["a", ofA],
      ["b", [forB]],
    ]);
  let compiled: string[];
  let known: CompiledPolicies<{ policy: ApiObject; own: readonly ApiObject[] }>;
  const of = (now: readonly ApiObject[], bindings = bound()) => {
    compiled = [];
    return known.of(now, bindings, (policy, own) => {
      compiled.push(policy.metadata.name ?? "");
      return { policy, own };
    });
  };
  beforeEach(() => {
    known = new CompiledPolicies();
    of(policies);
  });

  test.each<{ name: string; now?: readonly ApiObject[]; bindings?: Map<string, readonly ApiObject[]>; want: readonly string[] }>([
    { name: "none when nothing has changed", want: [] },
    { name: "none whose status has", now: [object("a"), object("b")], want: [] },
    { name: "one whose spec has", now: [object("a", 2), object("b")], want: ["a"] },
    { name: "one that was made anew", now: [object("a", 1, "another"), object("b")], want: ["a"] },
    { name: "one whose binding is another", bindings: bound([object("for a")]), want: ["a"] },
    { name: "one that has a further binding", bindings: bound([forA, forB]), want: ["a"] },
    { name: "one that is new", now: [object("0"), ...policies], want: ["0"] },
    { name: "none when one goes", now: policies.slice(1), want: [] },
  ])("$name", ({ now = policies, bindings = bound(), want }) => {
    const result = of(now, bindings);
    expect(compiled).toEqual(want);
    expect(result.map(({ policy }) => policy.metadata.name)).toEqual(now.map(({ metadata }) => metadata.name));
    expect(result.map(({ own }) => own)).toEqual(now.map(({ metadata: { name = "" } }) => bindings.get(name) ?? []));
  });

  test("one that was away", () => {
    of(policies.slice(1));
    of(policies);
    expect(compiled).toEqual(["a"]);
  });
});
