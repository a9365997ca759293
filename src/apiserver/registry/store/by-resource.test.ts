import { expect, test } from "vitest";
import { ByResource } from "./by-resource.ts";

test("finds, replaces and forgets by group and plural", () => {
  const map = new ByResource<number>();
  map.set("", "pods", 1);
  map.set("apps", "deployments", 2);
  map.set("", "secrets", 3);
  map.set("apps", "deployments", 4);
  expect([...map.values()]).toEqual([1, 3, 4]);
  expect([map.get("", "pods"), map.get("apps", "pods"), map.get("none", "pods")]).toEqual([1, undefined, undefined]);
  map.delete("apps", "deployments");
  map.delete("apps", "deployments");
  expect([...map.values()]).toEqual([1, 3]);
});
