import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { compileStructural } from "../schema/structural.ts";
import { noneConverter } from "./converter.ts";
import { versionCodec } from "./version-codec.ts";

const text = { type: "string" };
const schema = (properties: object) => compileStructural({ type: "object", properties } as never);
const versions = {
  schemas: new Map([
    ["g/v1", schema({ old: text, both: { ...text, default: "v1" } })],
    ["g/v2", schema({ both: { ...text, default: "v2" }, extra: text })],
  ]),
  storage: "g/v1",
  converter: noneConverter,
  schemaOf: () => undefined,
};
const object = (apiVersion: string, rest: object): ApiObject => ({
  apiVersion,
  kind: "Thing",
  metadata: { name: "a", resourceVersion: "5" },
  ...rest,
});

test("what is stored has the defaults of the version in which it was stored, and what the version read knows", () => {
  const [read] = versionCodec("g/v2", versions).fromStored([object("g/v1", { old: "x" })]) as ApiObject[];
  expect(read).toEqual({ apiVersion: "g/v2", kind: "Thing", metadata: { name: "a" }, both: "v1" });
});

test("objects of both versions lie beside one another", () => {
  const stored = [object("g/v1", { both: "1" }), object("g/v2", { both: "2", extra: "e" })];
  const read = versionCodec("g/v2", versions).fromStored(stored) as ApiObject[];
  expect(read.map(({ apiVersion, both, extra }) => [apiVersion, both, extra])).toEqual([
    ["g/v2", "1", undefined],
    ["g/v2", "2", "e"],
  ]);
  expect(stored[0]?.apiVersion).toBe("g/v1");
});

test("what is written is what the stored version knows", () => {
  const written = versionCodec("g/v2", versions).toStored(object("g/v2", { both: "2", extra: "e" }));
  expect(written).toEqual({ apiVersion: "g/v1", kind: "Thing", metadata: { name: "a" }, both: "2" });
});

test("versions that there are no more are told", () => {
  expect(() => versionCodec("g/v2", versions).fromStored([object("g/v0", {})])).toThrow(
    "request to convert CR from an invalid group/version: g/v0",
  );
});
