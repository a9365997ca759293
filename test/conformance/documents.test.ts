import { existsSync, readdirSync, readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WireReader } from "#base/wire-reader.ts";
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

/** The values of a field of messages within messages, by the numbers on the way; of fields that have a length. */
function submessages(bytes: Buffer, [number, ...rest]: readonly number[]): Buffer[] {
  if (number === undefined) return [bytes];
  const found: Buffer[] = [];
  const reader = new WireReader(bytes);
  reader.fields((at, wire) => {
    if (at === number && wire === 2) found.push(Buffer.from(reader.bytes()));
    else reader.skip(wire);
  });
  return found.flatMap((each) => submessages(each, rest));
}

function bytesOf({ url, credentials: { ca, cert, key } }: Cluster, path: string, accept: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { ca, cert, key, headers: { accept }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(Buffer.concat(chunks)));
    });
    sent.on("error", reject);
    sent.end();
  });
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

  /** Reads what no table of ours has written: names and texts by the numbers of gnostic's messages. */
  test.each([
    { form: 2, path: "/openapi/v2", places: { paths: [8, 2], types: [9, 1] }, description: [4] },
    { form: 3, path: "/openapi/v3/apis/apps/v1", places: { paths: [4, 1], types: [5, 1, 1] }, description: [1, 34] },
  ])("OpenAPI v$form as protobuf tells the same paths and types", async ({ form, path, places, description }) => {
    const accept = `application/com.github.proto-openapi.spec.v${form}@v1.0+protobuf`;
    const bytes = await bytesOf(cluster, path, accept);
    const json = await fetched(path);
    const types = (form === 2 ? json.definitions : (json.components as Json).schemas) as Readonly<Record<string, Json>>;
    const named = (numbers: readonly number[]): [string, Buffer][] =>
      submessages(bytes, numbers).map((pair) => [
        String(submessages(pair, [1])[0]),
        submessages(pair, [2])[0] ?? Buffer.alloc(0),
      ]);
    expect(named(places.paths).map(([name]) => name)).toEqual(Object.keys(json.paths as Json));
    const texts = named(places.types).map(([name, value]) => [name, submessages(value, description).at(-1)?.toString()]);
    expect(texts).toEqual(Object.entries(types).map(([name, type]) => [name, type.description]));
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
