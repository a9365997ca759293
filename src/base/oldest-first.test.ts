import { expect, test } from "vitest";
import { OldestFirst } from "./oldest-first.ts";

function takeAll(keys: Set<string>, oldest: OldestFirst<string>): string[] {
  const taken: string[] = [];
  for (let key = oldest.next(); key !== undefined; key = oldest.next()) {
    keys.delete(key);
    taken.push(key);
  }
  return taken;
}

test("finds keys in the order in which they came, also those that come later", () => {
  const keys = new Set(["a", "b"]);
  const oldest = new OldestFirst(keys);
  expect(takeAll(keys, oldest)).toEqual(["a", "b"]);
  for (const key of ["c", "a", "d"]) keys.add(key);
  keys.delete("c");
  keys.add("c");
  expect(takeAll(keys, oldest)).toEqual(["a", "d", "c"]);
});

test("goes on behind the end that it has come to, and after all was removed at once", () => {
  const keys = new Set(["a", "b"]);
  const oldest = new OldestFirst(keys);
  keys.delete(oldest.next() ?? "");
  keys.clear();
  expect(oldest.next()).toBeUndefined();
  keys.add("b").add("c");
  expect(takeAll(keys, oldest)).toEqual(["b", "c"]);
  // It came to the end while something was there that it had given.
  keys.add("d");
  expect([oldest.next(), oldest.next(), oldest.next()]).toEqual(["d", "d", "d"]);
});

test("finds each of many that come and go as a queue's keys do", () => {
  const keys = new Set<string>();
  const oldest = new OldestFirst(keys);
  const taken: string[] = [];
  let next = 0;
  for (let round = 1; round <= 200; round++) {
    for (let i = 0; i < round % 17; i++) keys.add(`${next++}`);
    for (let i = 0; i < round % 13; i++) {
      const key = oldest.next();
      if (key === undefined) break;
      keys.delete(key);
      taken.push(key);
    }
  }
  taken.push(...takeAll(keys, oldest));
  expect(taken).toEqual(Array.from({ length: next }, (_, i) => `${i}`));
});
