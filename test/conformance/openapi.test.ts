import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openApiV2Document, openApiV3Document, openApiV3Index } from "#apiserver/openapi/documents.ts";
import { builtInDocumentedResources } from "../support/openapi-resources.ts";

const upstream = fileURLToPath(new URL("../../../shared/upstream", import.meta.url));

type Json = Record<string, unknown>;

function readUpstream(path: string): Json {
  return JSON.parse(readFileSync(join(upstream, path), "utf8")) as Json;
}

/** Leaves out texts, which are our own, the version, which the files do not tell, and the order of sets. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(
    ([key, item]) => !(key === "description" && typeof item === "string") && key !== "info",
  );
  const mapped = entries.map(
    ([key, item]) => [key, key === "required" && Array.isArray(item) ? [...item].sort() : comparable(item)] as const,
  );
  return Object.fromEntries(mapped.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Puts shared parameters in their places: the hashes in their names come from the texts. */
function withParameters(document: Json): Json {
  const shared = document.parameters as Json;
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== "object" || value === null) return value;
    const reference = (value as { $ref?: unknown }).$ref;
    if (typeof reference === "string" && reference.startsWith("#/parameters/")) return shared[reference.slice(13)];
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item)]));
  };
  return resolve(document.paths) as Json;
}

function differences(got: unknown, want: unknown, path: string): string[] {
  if (JSON.stringify(got) === JSON.stringify(want)) return [];
  const bothObjects = typeof got === "object" && typeof want === "object" && got !== null && want !== null;
  if (!bothObjects) return [`${path}: got ${JSON.stringify(got)?.slice(0, 200)}, want ${JSON.stringify(want)?.slice(0, 200)}`];
  const keys = new Set([...Object.keys(got), ...Object.keys(want)]);
  return [...keys].flatMap((key) => differences((got as Json)[key], (want as Json)[key], `${path} > ${key}`));
}

const hasUpstream = existsSync(join(upstream, "openapi-v2.json"));

describe.runIf(hasUpstream)("against upstream (needs ../shared/upstream)", () => {
  // A suite's body runs even where the suite is skipped.
  const resources = hasUpstream ? builtInDocumentedResources(upstream) : { stored: [], virtual: [] };

  test("v2 definitions", () => {
    const got = JSON.parse(openApiV2Document(resources)) as Json;
    expect(differences(comparable(got.definitions), comparable(readUpstream("openapi-v2.json").definitions), "")).toEqual([]);
  });

  test("v2 paths", () => {
    const got = JSON.parse(openApiV2Document(resources)) as Json;
    const want = readUpstream("openapi-v2.json");
    expect(differences(comparable(withParameters(got)), comparable(withParameters(want)), "")).toEqual([]);
  });

  const files = hasUpstream ? readdirSync(join(upstream, "openapi-v3")) : [];
  test.each(files)("v3 %s", (file) => {
    const path = file.replace("_openapi.json", "").replaceAll("__", "/");
    const got = JSON.parse(openApiV3Document(resources, path) ?? "{}") as Json;
    expect(differences(comparable(got), comparable(readUpstream(join("openapi-v3", file))), "")).toEqual([]);
  });

  test("v3 index", () => {
    const { paths } = JSON.parse(openApiV3Index(resources)) as { paths: Json };
    const want = files.map((file) => file.replace("_openapi.json", "").replaceAll("__", "/"));
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(want));
  });
});
