import { describe, expect, test } from "vitest";
import { filterByPath, type Json, mergeDocument } from "./merge-documents.ts";

const ref = (name: string): Json => ({ $ref: `#/definitions/${name}` });
const path = (schema: Json): Json => ({ get: { responses: { 200: { schema } } } });

function document(paths: Json, definitions: Json, more: Json = {}): Json {
  return { swagger: "2.0", paths, definitions, ...more };
}

describe("filterByPath", () => {
  const whole = document(
    { "/apis/g/v1/things": path(ref("Thing")), "/apis/g/v2/others": path(ref("Other")), "/version": path(ref("Info")) },
    {
      Thing: { properties: { part: ref("Part") } },
      Part: {},
      Other: { properties: { part: ref("Part") } },
      Info: {},
      Unused: ref("Part"),
    },
  );

  test("keeps what the paths need, and what nothing needed before", () => {
    const { paths, definitions } = filterByPath(whole, "/apis/g/v1/");
    expect(Object.keys(paths as Json)).toEqual(["/apis/g/v1/things"]);
    expect(Object.keys(definitions as Json)).toEqual(["Thing", "Part", "Unused"]);
  });

  test("changes nothing of what it is given", () => {
    const before = structuredClone(whole);
    filterByPath(whole, "/none");
    expect(whole).toEqual(before);
  });
});

describe("mergeDocument", () => {
  const own = (): Json => document({ "/own": path(ref("Meta")) }, { Meta: { type: "object", description: "Ours." } });

  test.each([
    ["the same but for texts is one definition", { description: "Theirs.", type: "object" }, ["Meta"], "Meta"],
    ["another definition gets another name", { type: "string" }, ["Meta", "Meta_v2"], "Meta_v2"],
  ])("%s", (_, theirs, names, name) => {
    const target = own();
    mergeDocument(target, document({ "/theirs": path(ref("Meta")) }, { Meta: theirs }));
    expect(Object.keys(target.definitions as Json)).toEqual(names);
    expect((target.paths as Json)["/theirs"]).toEqual(path(ref(name)));
  });

  test("a name that was made for the same definition before is taken again", () => {
    const target = own();
    for (const at of ["/a", "/b"]) mergeDocument(target, document({ [at]: path(ref("Meta")) }, { Meta: { type: "string" } }));
    mergeDocument(target, document({ "/c": path(ref("Meta")) }, { Meta: { type: "number" } }));
    expect(Object.keys(target.definitions as Json)).toEqual(["Meta", "Meta_v2", "Meta_v3"]);
    expect((target.paths as Json)["/b"]).toEqual(path(ref("Meta_v2")));
  });

  test("of two paths the first stays", () => {
    const target = own();
    mergeDocument(target, document({ "/own": path(ref("Other")) }, { Other: {} }));
    expect(target).toEqual(own());
  });

  test("kinds of a shared type come together, in order", () => {
    const kind = (group: string): Json => ({ group, version: "v1", kind: "DeleteOptions" });
    const target = document({ "/own": path(ref("T")) }, { T: { "x-kubernetes-group-version-kind": [kind("b")] } });
    mergeDocument(
      target,
      document({ "/x": path(ref("T")) }, { T: { "x-kubernetes-group-version-kind": [kind("a"), kind("b")] } }),
    );
    expect(target.definitions).toEqual({ T: { "x-kubernetes-group-version-kind": [kind("a"), kind("b")] } });
  });

  test("shared parameters of one name that differ get another", () => {
    const use = { get: { parameters: [{ $ref: "#/parameters/limit" }], responses: {} } };
    const target = document({ "/own": use }, {}, { parameters: { limit: { name: "limit", type: "integer" } } });
    mergeDocument(target, document({ "/x": use }, {}, { parameters: { limit: { name: "limit", type: "string" } } }));
    expect(Object.keys(target.parameters as Json)).toEqual(["limit", "limit_v2"]);
    expect((target.paths as Json)["/x"]).toEqual({ get: { parameters: [{ $ref: "#/parameters/limit_v2" }], responses: {} } });
  });
});
