import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { encodeObject } from "../serializer.ts";
import { CacheEntry } from "./cache-entry.ts";
import { Conversions } from "./conversions.ts";
import { type StoredCodec, VersionEntry } from "./version-entry.ts";

const LARGE = "x".repeat(20_000);

/** Counts what it is asked for at a time. */
function counting(answer: (made: ApiObject[]) => ReturnType<StoredCodec["fromStored"]>): StoredCodec & { asked: number[] } {
  const asked: number[] = [];
  const fromStored: StoredCodec["fromStored"] = (objects) => {
    asked.push(objects.length);
    return answer(objects.map((object) => ({ ...object, apiVersion: "g/v2", metadata: { ...object.metadata } })));
  };
  return { asked, fromStored };
}

function entries(count: number, codec: StoredCodec, data = ""): VersionEntry[] {
  return Array.from({ length: count }, (_, i) => {
    const object: ApiObject = { apiVersion: "g/v1", kind: "Thing", metadata: { name: `t${i}` }, data };
    return new VersionEntry(new CacheEntry(`/t${i}`, "", `t${i}`, 1, encodeObject(object), object), codec);
  });
}

test("few are converted at once", () => {
  const codec = counting((made) => made);
  const all = entries(20, codec);
  expect(new Conversions(codec).ready(all)).toBeUndefined();
  expect(codec.asked).toEqual([20]);
});

test("many are converted in pieces, each once for all who want it", async () => {
  const codec = counting((made) => made);
  const all = entries(10, codec, LARGE);
  const conversions = new Conversions(codec);
  const reads = [conversions.ready(all), conversions.ready(all.slice(5))];
  expect(codec.asked).toEqual([4]);
  // Who cannot wait is not kept waiting.
  expect(all[4]?.object.apiVersion).toBe("g/v2");
  await Promise.all(reads);
  expect(codec.asked).toEqual([4, 1, 3, 2]);
  expect(all.every(({ settled }) => settled)).toBe(true);
});

test("another server is asked for more than are converted here within a turn", async () => {
  const codec = counting((made) => Promise.resolve(made));
  const conversions = new Conversions(codec);
  const all = entries(1_200, codec, LARGE.slice(0, 2_000));
  await conversions.ready(all);
  expect(codec.asked).toEqual([32, 500, 500, 168]);
  expect(all.every(({ settled }) => settled)).toBe(true);
});

test("a piece that fails ends it; the rest is converted for who asks again", async () => {
  let fails = false;
  const codec = counting((made) => {
    if (fails) throw new Error("no");
    fails = true;
    return made;
  });
  const conversions = new Conversions(codec);
  const all = entries(10, codec, LARGE);
  await expect(conversions.ready(all)).rejects.toThrow("no");
  expect(() => conversions.ready(all.slice(4))).toThrow("no");
  fails = false;
  expect(conversions.ready(all.slice(4, 6))).toBeUndefined();
});
