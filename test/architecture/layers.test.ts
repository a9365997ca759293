import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { layers } from "./layers.ts";
import { readSourceTree, root } from "./source-tree.ts";

const tree = readSourceTree();
const byPath = new Map(tree.map((file) => [file.path, file]));

test("every folder of src/ is named in the table of layers", () => {
  const unnamed = [...new Set(tree.map((file) => file.component))].filter((name) => !(name in layers));
  expect(unnamed).toEqual([]);
});

test("every import across components follows an arrow of the table", () => {
  const wrong = tree.flatMap((file) =>
    file.imports
      .filter(({ target }) => target !== undefined)
      .map(({ target }) => (target ?? "").split("/")[0] ?? "")
      .filter((to) => to !== file.component && !layers[file.component]?.includes(to))
      .map((to) => `${file.path} imports ${to}`),
  );
  expect(wrong).toEqual([]);
});

test("imports inside a component are relative, across components they start with #", () => {
  const wrong = tree.flatMap((file) =>
    file.imports
      .filter(({ specifier, target }) => {
        if (target === undefined) return false;
        const same = target.split("/")[0] === file.component;
        return specifier.startsWith(".") && !same;
      })
      .map(({ specifier }) => `${file.path}: ${specifier}`),
  );
  expect(wrong).toEqual([]);
});

test("every import names a file that exists", () => {
  const wrong = tree.flatMap((file) =>
    file.imports
      .filter(({ target }) => target?.endsWith(".ts") && !byPath.has(target))
      .map(({ specifier }) => `${file.path}: ${specifier}`),
  );
  expect(wrong).toEqual([]);
});

test("an internal/ folder is imported only from its parent", () => {
  const wrong = tree.flatMap((file) =>
    file.imports
      .filter(({ target }) => {
        // The API group internal.apiserver.k8s.io is no such folder.
        const at = target?.search(/(?<!(generated|registry)\/)internal\//) ?? -1;
        return at >= 0 && !file.path.startsWith((target ?? "").slice(0, at));
      })
      .map(({ specifier }) => `${file.path}: ${specifier}`),
  );
  expect(wrong).toEqual([]);
});

test("no import of values goes in a circle", () => {
  const state = new Map<string, "open" | "done">();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === "done") return;
    if (state.get(path) === "open") {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      return;
    }
    state.set(path, "open");
    for (const { target, typeOnly } of byPath.get(path)?.imports ?? []) if (target && !typeOnly) visit(target, [...trail, path]);
    state.set(path, "done");
  };
  for (const file of tree) visit(file.path, []);
  expect(cycles).toEqual([]);
});

test("ARCHITECTURE.md draws the table's arrows", () => {
  const document = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  expect(document).toContain(drawArrows());
});

/** The table as the lines that ARCHITECTURE.md shows. */
function drawArrows(): string {
  const width = Math.max(...Object.keys(layers).map((name) => name.length));
  return Object.entries(layers)
    .map(([from, to]) => `${from.padEnd(width)} -> ${to.length > 0 ? [...to].sort().join(", ") : "(nothing)"}`)
    .join("\n");
}
