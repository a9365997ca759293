import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";

const upstream = fileURLToPath(new URL("../../../shared/upstream", import.meta.url));
const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

type Json = Record<string, unknown>;

/** A place where a document differs: `FILE > KEY > KEY`, or the start of several. */
interface Difference {
  readonly at: string;
  readonly reason: string;
}

const allowed = load(
  readFileSync(fileURLToPath(new URL("./document-differences.yaml", import.meta.url)), "utf8"),
) as readonly Difference[];

function readUpstream(path: string): Json {
  return JSON.parse(readFileSync(join(upstream, path), "utf8")) as Json;
}

/**
 * The places where two values differ. Texts are our own: they need only be there where upstream has one. The order of required
 * fields means nothing.
 */
function differences(got: unknown, want: unknown, at: string): string[] {
  if (JSON.stringify(got) === JSON.stringify(want)) return [];
  if (Array.isArray(got) && Array.isArray(want)) {
    const named = at.endsWith(" > required") && !got.some((each) => typeof each !== "string");
    if (named) return differences({ set: [...got].sort().join() }, { set: [...want].sort().join() }, at);
    if (got.length !== want.length) return [`${at}: got ${got.length} items, want ${want.length}`];
    return got.flatMap((each, i) => differences(each, want[i], `${at} > ${i}`));
  }
  if (!isObject(got) || !isObject(want)) {
    return [`${at}: got ${JSON.stringify(got)?.slice(0, 200)}, want ${JSON.stringify(want)?.slice(0, 200)}`];
  }
  return [...new Set([...Object.keys(got), ...Object.keys(want)])].flatMap((key) => {
    const isText = key === "description" && [got[key], want[key]].every((each) => each === undefined || typeof each === "string");
    if (isText) return want[key] && !got[key] ? [`${at} > description: got none`] : [];
    return differences(got[key], want[key], `${at} > ${key}`);
  });
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Puts shared parameters in their places: the hashes in their names come from the texts. */
function withParameters(document: Json): Json {
  const shared = document.parameters as Json;
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve);
    if (!isObject(value)) return value;
    const { $ref } = value;
    if (typeof $ref === "string" && $ref.startsWith("#/parameters/")) return shared[$ref.slice("#/parameters/".length)];
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item)]));
  };
  const { parameters, ...rest } = document;
  return { ...rest, paths: resolve(document.paths) };
}

const hasUpstream = existsSync(join(upstream, "openapi-v2.json"));
const discovery = hasUpstream ? readdirSync(join(upstream, "discovery")) : [];
const versions3 = hasUpstream ? readdirSync(join(upstream, "openapi-v3")) : [];
const pathOf = (file: string): string => `/${file.replace(".json", "").replaceAll("__", "/")}`;

describe.runIf(hasUpstream)("documents against upstream (needs ../shared/upstream)", () => {
  const used = new Set<Difference>();
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0, runtimeConfig: ["api/all=true"] });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());

  const fetched = async (path: string, accept = "application/json"): Promise<Json> =>
    JSON.parse((await ask("GET", path, undefined, { accept })).text) as Json;

  const check = (got: Json, want: Json, file: string): void => {
    const found = differences(got, want, file).filter((line) => {
      const known = allowed.filter(({ at }) => line.startsWith(at));
      for (const each of known) used.add(each);
      return known.length === 0;
    });
    expect(found).toEqual([]);
  };

  test.each(discovery)("discovery %s", async (file) => {
    const got = file === "aggregated_v2.json" ? await fetched("/apis", AGGREGATED) : await fetched(pathOf(file));
    check(got, readUpstream(`discovery/${file}`), file);
  });

  test("OpenAPI v2", async () => {
    check(withParameters(await fetched("/openapi/v2")), withParameters(readUpstream("openapi-v2.json")), "openapi-v2.json");
  });

  test("shared parameters are those of OpenAPI v2, by name without hash", async () => {
    // Where two texts of ours are one of upstream's, or the other way round, there is another number of them.
    const names = ({ parameters }: Json): Set<string> =>
      new Set(Object.keys(parameters as Json).map((name) => name.slice(0, -9)));
    expect(names(await fetched("/openapi/v2"))).toEqual(names(readUpstream("openapi-v2.json")));
  });

  test.each(versions3)("OpenAPI v3 %s", async (file) => {
    const got = await fetched(`/openapi/v3${pathOf(file.replace("_openapi", ""))}`);
    const { info, ...rest } = got;
    const { info: wanted, ...wantedRest } = readUpstream(`openapi-v3/${file}`);
    check(rest, wantedRest, `openapi-v3/${file}`);
    check(info as Json, wanted as Json, "openapi-v3 info");
  });

  test("OpenAPI v3 has these documents and no others", async () => {
    const { paths } = await fetched("/openapi/v3");
    const files = versions3.map((file) => pathOf(file.replace("_openapi", "")).slice(1));
    const known = allowed.filter(({ at }) => at.startsWith("openapi-v3 > "));
    for (const each of known) used.add(each);
    const more = known.map(({ at }) => at.replace("openapi-v3 > ", ""));
    expect(Object.keys(paths as Json).sort()).toEqual([...files, ...more].sort());
  });

  test("every difference on the list is still there", () => {
    expect(allowed.filter((each) => !used.has(each))).toEqual([]);
  });
});
