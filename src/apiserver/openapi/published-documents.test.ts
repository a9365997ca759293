import { expect, test } from "vitest";
import type { ResourceDefinition } from "../registry/resource.ts";
import type { ResourceSet } from "../registry/resource-set.ts";
import { PublishedDocuments } from "./published-documents.ts";

const BUILT_IN: ResourceSet = { stored: [], virtual: [] };

function widgets(group: string): ResourceDefinition<never> {
  const definition: Omit<ResourceDefinition, "strategy" | "columns"> = {
    custom: true,
    group,
    version: "v1",
    kind: "Widget",
    plural: "widgets",
    singular: "widget",
    scope: "Namespaced",
    storagePrefix: `${group}/widgets`,
    subresources: { status: { type: "status" } },
    published: (version) => ({
      name: `${group.split(".").reverse().join(".")}.${version}.Widget`,
      kind: "Widget",
      listKind: "WidgetList",
      extensions: {},
      schema: () => ({ type: "object", description: "A widget.", properties: { spec: { type: "object" } } }),
    }),
  };
  return { ...definition, columns: [], strategy: {} } as unknown as ResourceDefinition<never>;
}

test("custom resources are told in both versions, and no longer when they are gone", () => {
  let current: ResourceSet = BUILT_IN;
  const documents = new PublishedDocuments(BUILT_IN, () => current);
  expect(documents.v3("apis/a-b.example.com/v1")).toBeUndefined();
  current = { stored: [widgets("a-b.example.com")], virtual: [] };
  const v3 = JSON.parse(documents.v3("apis/a-b.example.com/v1")?.text ?? "{}");
  const root = "/apis/a-b.example.com/v1";
  expect(Object.keys(v3.paths)).toEqual([
    `${root}/namespaces/{namespace}/widgets`,
    `${root}/namespaces/{namespace}/widgets/{name}`,
    `${root}/namespaces/{namespace}/widgets/{name}/status`,
    `${root}/widgets`,
  ]);
  expect(v3.paths[`${root}/namespaces/{namespace}/widgets`].delete.operationId).toBe(
    "deleteABExampleComV1CollectionNamespacedWidget",
  );
  expect(v3.components.schemas["com.example.a-b.v1.Widget"].description).toBe("A widget.");
  expect(Object.keys(JSON.parse(documents.v3Index()).paths)).toContain("apis/a-b.example.com/v1");
  const v2 = JSON.parse(documents.v2().text);
  expect(Object.keys(v2.definitions)).toContain("com.example.a-b.v1.WidgetList");
  expect(documents.v2Protobuf().byteLength).toBeGreaterThan(1000);
  current = { stored: [], virtual: [] };
  expect(documents.v3("apis/a-b.example.com/v1")).toBeUndefined();
  expect(documents.v2().text).not.toContain("widgets");
});

test("what did not change keeps its document", () => {
  const [one, two] = [widgets("one.example.com"), widgets("two.example.com")];
  let current: ResourceSet = { stored: [one], virtual: [] };
  const documents = new PublishedDocuments(BUILT_IN, () => current);
  const before = documents.v3("apis/one.example.com/v1");
  const index = documents.v3Index();
  current = { stored: [one, two], virtual: [] };
  expect(documents.v3("apis/one.example.com/v1")).toBe(before);
  expect(documents.v3Index()).not.toBe(index);
});

test("of version 2, only what changed is made again", () => {
  let made = 0;
  const counted = (group: string): ResourceDefinition<never> => {
    const { published, ...definition } = widgets(group);
    const counting: typeof published = (version) => {
      made++;
      return published?.(version) as ReturnType<NonNullable<typeof published>>;
    };
    return { ...definition, published: counting };
  };
  const [one, two] = [counted("one.example.com"), counted("two.example.com")];
  let current: ResourceSet = { stored: [one], virtual: [] };
  const documents = new PublishedDocuments(BUILT_IN, () => current);
  expect(Object.keys(JSON.parse(documents.v2().text).definitions)).toContain("com.example.one.v1.Widget");
  expect(made).toBe(1);
  current = { stored: [one, two], virtual: [] };
  const { text } = documents.v2();
  expect(made).toBe(2);
  const { definitions, paths } = JSON.parse(text);
  expect(Object.keys(definitions)).toEqual(Object.keys(definitions).sort());
  expect(definitions["com.example.one.v1.Widget"].description).toBe("A widget.");
  expect(Object.keys(paths)).toContain("/apis/two.example.com/v1/widgets");
});
