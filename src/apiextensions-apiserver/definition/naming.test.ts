import { expect, test } from "vitest";
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from "#api/generated/apiextensions/v1.ts";
import { acceptNames } from "./naming.ts";

const NOW = "2026-01-02T03:04:05Z";

function definition(
  uid: string,
  names: CustomResourceDefinitionNames,
  accepted?: CustomResourceDefinitionNames,
): CustomResourceDefinition {
  return {
    metadata: { name: `${names.plural}.example.com`, uid },
    spec: { group: "example.com", scope: "Cluster", versions: [], names },
    ...(accepted !== undefined && { status: { acceptedNames: accepted } }),
  };
}

const widgets: CustomResourceDefinitionNames = {
  plural: "widgets",
  singular: "widget",
  kind: "Widget",
  listKind: "WidgetList",
  shortNames: ["w"],
};

test("the first definition gets its names and is established", () => {
  expect(acceptNames(definition("a", widgets), [], NOW)).toEqual({
    acceptedNames: widgets,
    conditions: [
      { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found", lastTransitionTime: NOW },
      {
        type: "Established",
        status: "True",
        reason: "InitialNamesAccepted",
        message: "the initial names have been accepted",
        lastTransitionTime: NOW,
      },
    ],
  });
});

test.each([
  { name: "short names", names: { shortNames: ["w"] }, reason: "ShortNamesConflict", message: '"w" is already in use' },
  { name: "the singular", names: { singular: "widget" }, reason: "SingularConflict", message: '"widget" is already in use' },
  { name: "the kind", names: { kind: "Widget" }, reason: "KindConflict", message: '"Widget" is already in use' },
  {
    name: "the kind of lists",
    names: { listKind: "WidgetList" },
    reason: "ListKindConflict",
    message: '"WidgetList" is already in use',
  },
])("$name of another definition of the group are refused", ({ names, reason, message }) => {
  const other = { plural: "gadgets", singular: "gadget", kind: "Gadget", listKind: "GadgetList", ...names };
  const status = acceptNames(definition("b", other), [definition("a", widgets, widgets)], NOW);
  expect(status.conditions).toMatchObject([
    { type: "NamesAccepted", status: "False", reason, message },
    { type: "Established", status: "False", reason: "NotAccepted" },
  ]);
});

test("what was accepted before stays accepted", () => {
  const status = acceptNames(
    definition("a", widgets, widgets),
    [definition("b", { ...widgets, plural: "others" }, widgets)],
    NOW,
  );
  expect(status.acceptedNames).toEqual(widgets);
});
