import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { ConversionMemo, converting } from "./conversion-memo.ts";

const object = (name: string, apiVersion = "g/v1"): ApiObject => ({ apiVersion, kind: "Thing", metadata: { name } });

test("what needs another server's conversions begins anew when they are there, and each is asked for once", async () => {
  const asked: string[] = [];
  const memo = new ConversionMemo(async (one, apiVersion) => {
    asked.push(`${one.metadata.name} ${apiVersion}`);
    return { ...one, apiVersion };
  });
  let runs = 0;
  const result = await converting(() => {
    runs++;
    return [memo.convert(object("a"), "g/v2"), memo.convert(object("b"), "g/v2"), memo.convert(object("a"), "g/v2")];
  });
  expect(result.map(({ apiVersion }) => apiVersion)).toEqual(["g/v2", "g/v2", "g/v2"]);
  expect(asked).toEqual(["a g/v2", "b g/v2"]);
  expect(runs).toBe(3);
});

test("what needs nobody is done at once", () => {
  const memo = new ConversionMemo((one, apiVersion) => ({ ...one, apiVersion }));
  expect(converting(() => memo.convert(object("a"), "g/v2").apiVersion)).toBe("g/v2");
  expect(converting(() => memo.convert(object("a"), "g/v1").apiVersion)).toBe("g/v1");
});

test("a conversion that fails fails the whole", async () => {
  const memo = new ConversionMemo(() => Promise.reject(new Error("no")));
  await expect(converting(() => memo.convert(object("a"), "g/v2"))).rejects.toThrow("no");
});
