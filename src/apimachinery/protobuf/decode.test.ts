import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseGroupVersion } from "../meta/api-object.ts";
import { decodeObject } from "../schema/decode.ts";
import { normalizeObject } from "../schema/normalize.ts";
import { schemaFor } from "../schema/registry.ts";
import { decodeProtobuf } from "./decode.ts";

const fixtures = fileURLToPath(new URL("../../../../shared/upstream/roundtrip", import.meta.url));
const names = existsSync(fixtures) ? readdirSync(fixtures).filter((name) => name.endsWith(".pb")) : [];

const known = names.flatMap((file) => {
  const json = JSON.parse(readFileSync(`${fixtures}/${file.replace(/pb$/, "json")}`, "utf8"));
  const { group, version } = parseGroupVersion(json.apiVersion ?? "");
  const schema = schemaFor(group, version, json.kind);
  return schema === undefined ? [] : [{ file, json, schema }];
});

test("bytes without the prefix are refused with upstream's words", () => {
  expect(() => decodeProtobuf(Buffer.from("{}"), schemaFor)).toThrow("expected prefix [107 56 115 0]");
});

describe.skipIf(known.length === 0)("upstream's filled objects (needs ../shared/upstream/roundtrip)", () => {
  test.each(known)("$file reads as its JSON", ({ file, json, schema }) => {
    const read = decodeProtobuf(readFileSync(`${fixtures}/${file}`), schemaFor);
    const canonical = (value: unknown) => {
      const { object } = decodeObject(schema, structuredClone(value));
      normalizeObject(schema, object as never);
      return object;
    };
    expect(canonical(read)).toEqual(canonical(json));
  });
});
