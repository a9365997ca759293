import { expect, test } from "vitest";
import { labelSelectorFromObject } from "./selector.ts";
import { SelectorPool } from "./selector-pool.ts";

type Selector = Parameters<typeof labelSelectorFromObject>[0];
interface Selecting {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly selector?: Selector;
}

const selecting = (name: string, selector?: Selector, namespace = "ns"): Selecting => ({
  metadata: { name, namespace },
  ...(selector === undefined ? {} : { selector }),
});
const web = selecting("web", { matchLabels: { app: "web" } });
const objects = [
  web,
  selecting("front", { matchLabels: { app: "web", tier: "front" } }),
  selecting("either", { matchExpressions: [{ key: "app", operator: "In", values: ["web", "db"] }] }),
  selecting("bare", { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] }),
  selecting("all", {}),
  selecting("nothing"),
  selecting("elsewhere", {}, "other"),
];

function poolOf(): SelectorPool<Selecting> {
  const pool = new SelectorPool<Selecting>(({ selector }) =>
    selector === undefined ? undefined : labelSelectorFromObject(selector),
  );
  for (const object of objects) pool.add(object);
  return pool;
}
const names = (found: readonly Selecting[]): string[] => found.map(({ metadata }) => metadata.name).sort();

test.each([
  { labels: { app: "web" }, want: ["all", "either", "web"] },
  { labels: { app: "web", tier: "front" }, want: ["all", "either", "front", "web"] },
  { labels: { app: "db" }, want: ["all", "either"] },
  { labels: undefined, want: ["all", "bare"] },
])("$labels are selected by $want", ({ labels, want }) => {
  expect(names(poolOf().selecting({ namespace: "ns", ...(labels === undefined ? {} : { labels }) }))).toEqual(want);
});

test("what was removed selects nothing", () => {
  const pool = poolOf();
  for (const object of objects.slice(1)) pool.remove(object);
  expect(names(pool.selecting({ namespace: "ns", labels: { app: "web" } }))).toEqual(["web"]);
  pool.remove(web);
  expect(pool.selecting({ namespace: "ns", labels: { app: "web" } })).toEqual([]);
});
